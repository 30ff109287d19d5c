import { setTimeout as delay } from 'node:timers/promises'
import type { KnownReports } from '../environment-state/instance-reports.ts'
import type { EnvironmentAccess } from '../environment-state/read-environment.ts'
import { storeTime } from '../environment-state/store-time.ts'
import type { Alarm } from '../alarms/alarm.ts'
import { lookForAlarms, type LookOutcome, type ToldNotice } from '../alarms/look-for-alarms.ts'
import { readTold, type ToldRecord, writeTold } from '../alarms/told-record.ts'
import { createWebhook, type Webhook } from '../alarms/webhook.ts'
import type { AlarmsOptions } from './alarms.ts'
import { type CommandIo, finish } from './command.ts'
import { withSession } from './environment-session.ts'
import { parseSeconds } from './parse-seconds.ts'
import { formatTable } from './table.ts'

/** The implementation of `needle alarms`. */
export async function runAlarms(io: CommandIo, options: AlarmsOptions): Promise<void> {
  const intervalMs = parseSeconds('--interval', options.interval, { from: 1, to: 3600 })
  await withSession(io, options, async ({ access, location }) => {
    const address = options.webhook || io.env['NEEDLE_WEBHOOK'] || location.alarms?.webhook
    const webhook = openWebhook(io, access, address)
    const lookout = { access, webhook, told: await readTold(access), known: new Map() }
    if (options.watch === true) await watch(io, options, { ...lookout, intervalMs })
    else {
      const outcome = await look(io, lookout)
      finish(io, options, {
        text: describeAlarms(options.environment, outcome),
        json: {
          environment: options.environment,
          alarms: outcome.alarms,
          notices: outcome.notices,
        },
      })
    }
  })
}

interface Lookout {
  readonly access: EnvironmentAccess
  readonly webhook: Webhook | null
  readonly told: ToldRecord
  readonly known: KnownReports
}

/** Ends when the signal aborts; neither a store nor a webhook that is down ends it. */
async function watch(
  io: CommandIo,
  options: AlarmsOptions,
  lookout: Lookout & { readonly intervalMs: number },
): Promise<void> {
  let { told } = lookout
  try {
    for (;;) {
      const outcome = await look(io, { ...lookout, told })
      told = outcome.told
      for (const notice of outcome.notices) {
        const line = options.json === true ? JSON.stringify(notice) : formatNotice(notice)
        io.stdout(`${line}\n`)
      }
      await delay(lookout.intervalMs, undefined, { signal: io.signal })
    }
  } catch (error) {
    if (!io.signal.aborted) throw error
  }
}

async function look(io: CommandIo, lookout: Lookout): Promise<LookOutcome> {
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
