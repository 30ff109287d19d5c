import { setTimeout as delay } from 'node:timers/promises'
import type { TrustRoot } from '@needle-faas/runtime/manifest'
import { isRuntimeError } from '@needle-faas/runtime/store'
import { describeError } from '../describe-error.ts'
import type { KnownReports } from '../environment-state/instance-reports.ts'
import type { EnvironmentAccess } from '../environment-state/read-environment.ts'
import { storeTime } from '../environment-state/store-time.ts'
import type { Alarm } from '../alarms/alarm.ts'
import { lookForAlarms, type LookOutcome, type ToldNotice } from '../alarms/look-for-alarms.ts'
import { readTold, type ToldRecord, writeTold } from '../alarms/told-record.ts'
import { createWebhook, type Webhook } from '../alarms/webhook.ts'
import { openTrust } from '../keys/open-trust.ts'
import type { AlarmsOptions } from './alarms.ts'
import { type CommandIo, finish } from './command.ts'
import { withSession } from './environment-session.ts'
import { isLasting } from './is-lasting.ts'
import { parseSeconds } from './parse-seconds.ts'
import { formatTable } from './table.ts'

/** The implementation of `needle alarms`. */
export async function runAlarms(io: CommandIo, options: AlarmsOptions): Promise<void> {
  const intervalMs = parseSeconds('--interval', options.interval, { from: 1, to: 3600 })
  if (options.watch === true) return watch(io, options, intervalMs)
  await withLookout(io, options, async (lookout) => {
    const outcome = await look(io, lookout)
    finish(io, options, {
      text: describeAlarms(options.environment, outcome),
      json: {
        environment: options.environment,
        alarms: outcome.alarms,
        notices: outcome.notices,
      },
    })
  })
}

interface Lookout {
  readonly access: EnvironmentAccess
  readonly webhook: Webhook | null
  readonly told: ToldRecord
  readonly known: KnownReports
  /** Of the pinned trust root. */
  readonly trustFile: string
}

function withLookout(
  io: CommandIo,
  options: AlarmsOptions,
  run: (lookout: Lookout) => Promise<void>,
): Promise<void> {
  return withSession(io, options, async ({ access, location }) => {
    const address = options.webhook || io.env['NEEDLE_WEBHOOK'] || location.alarms?.webhook
    const webhook = openWebhook(io, access, address)
    const told = await readTold(access)
    await run({ access, webhook, told, known: new Map(), trustFile: location.trust })
  })
}

/** Ends when the signal aborts; neither a store nor a webhook that is down ends it. */
async function watch(io: CommandIo, options: AlarmsOptions, intervalMs: number): Promise<void> {
  const pause = (): Promise<void> => delay(intervalMs, undefined, { signal: io.signal })
  const lookOn = async ({ access, trustFile, ...lookout }: Lookout): Promise<void> => {
    let { told } = lookout
    let { root } = access
    for (;;) {
      const outcome = await look(io, { ...lookout, access: { ...access, root }, told })
      told = outcome.told
      for (const notice of outcome.notices) {
        const line = options.json === true ? JSON.stringify(notice) : formatNotice(notice)
        io.stdout(`${line}\n`)
      }
      await pause()
      root = await readRoot({ ...access, root }, trustFile)
    }
  }
  try {
    for (;;) {
      await withLookout(io, options, lookOn).catch((error: unknown) => {
        if (isLasting(error, false)) throw error
        const seconds = Math.ceil(intervalMs / 1000)
        io.stderr(`${describeError(error, false).text}\nAgain in ${seconds} s.\n`)
      })
      await pause()
    }
  } catch (error) {
    if (!io.signal.aborted) throw error
  }
}

/** With the keys that were added since. Where it cannot be read, as it was: the look says what is wrong. */
async function readRoot(
  { store, root, signal }: EnvironmentAccess,
  file: string,
): Promise<TrustRoot> {
  try {
    return (await openTrust(store, file, signal)).newest
  } catch (error) {
    if (signal?.aborted || !isRuntimeError(error)) throw error
    return root
  }
}

async function look(io: CommandIo, lookout: Omit<Lookout, 'trustFile'>): Promise<LookOutcome> {
  const { access, webhook, told } = lookout
  const outcome = await lookForAlarms({ ...lookout, now: Date.now() })
  const missed = outcome.notices.filter(({ fault }) => fault !== null)
  const [first] = missed
  if (first !== undefined) {
    io.stderr(
      `${webhook?.location} did not take ${missed.length} of ${outcome.notices.length}: ${first.fault}. They are sent again at the next look\n`,
    )
  }
  if (JSON.stringify(outcome.told) !== JSON.stringify(told)) {
    const fault = await writeTold(access, outcome.told)
    if (fault !== null) {
      io.stderr(
        `What was told cannot be recorded (${fault.code}: ${fault.message}), so another run tells it again. It takes the right to write environments/${access.environment}/alarms.json\n`,
      )
    }
  }
  return outcome
}

function openWebhook(
  io: CommandIo,
  { store }: EnvironmentAccess,
  url: string | undefined,
): Webhook | null {
  if (url === undefined) return null
  return createWebhook({
    url,
    env: io.env,
    // Receivers refuse what is signed at another time than theirs.
    now: () => storeTime(store, Date.now()),
    pause: (delayMs, signal) => delay(delayMs, undefined, { signal }),
  })
}

function describeAlarms(environment: string, { alarms, notices, told }: LookOutcome): string {
  const over = notices.filter(({ status }) => status === 'resolved').map(formatNotice)
  if (alarms.length === 0) {
    const why = told.version === null ? ': nothing was ever published there' : ''
    return [...over, `No alarm in ${environment}${why}`].join('\n')
  }
  const raised = new Set(
    notices.filter(({ status }) => status === 'raised').map(({ alarm }) => alarm.key),
  )
  return [...over, formatTable(alarms.map((alarm) => toRow(alarm, raised.has(alarm.key))))].join(
    '\n',
  )
}

function toRow(alarm: Alarm, isNew: boolean): string[] {
  return [isNew ? 'NEW' : '', alarm.severity, alarm.code, alarm.since, sayWhat(alarm)]
}

function formatNotice({ status, at, alarm }: ToldNotice): string {
  return `${at}  ${status.toUpperCase()}  ${alarm.severity}  ${alarm.code}  ${sayWhat(alarm)}`
}

function sayWhat({ function: name, text }: Alarm): string {
  return name === null ? text : `${name}: ${text}`
}
