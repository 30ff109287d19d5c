import {
  type FunctionState,
  type Hold,
  isExpired,
  shortDigest,
} from '@needle-faas/runtime/manifest'
import { assertNotLost } from '../environment-state/assert-not-lost.ts'
import { type FleetInstance, toFleet } from '../environment-state/fleet.ts'
import { type ReportReading, readReportReadings } from '../environment-state/instance-reports.ts'
import { type EnvironmentReading, readEnvironment } from '../environment-state/read-environment.ts'
import { storeTime } from '../environment-state/store-time.ts'
import { exitCode } from '../exit-code.ts'
import { toFunctionStates } from '../plan/function-states.ts'
import { pairName } from '../plan/pair.ts'
import { type CommandIo, type CommandResult, finish } from './command.ts'
import { type EnvironmentOptions, withSession } from './environment-session.ts'
import { formatAge } from '../format-age.ts'
import { formatTable } from './table.ts'

/** The implementation of `needle status`. */
export async function runStatus(io: CommandIo, options: EnvironmentOptions): Promise<void> {
  const result = await withSession(io, options, async ({ access }) => {
    const [reading, readings] = await Promise.all([
      readEnvironment(access),
      readReportReadings(access),
    ])
    assertNotLost(reading.state, readings)
    return describeStatus(reading, readings, storeTime(access.store, Date.now()))
  })
  finish(io, options, result)
}

/** What is known of an environment, for people and machines. */
export function describeStatus(
  { state, pointer }: EnvironmentReading,
  readings: readonly ReportReading[],
  now: number,
): CommandResult {
  const manifest = state.newest?.manifest
  if (manifest === undefined) {
    return {
      text: `Nothing was ever published to ${state.environment}`,
      json: { environment: state.environment, manifest: null, functions: {}, instances: [] },
    }
  }
  const functions = toFunctionStates(state.groups)
  const instances = toFleet(manifest, readings, now)
  const expires = Date.parse(manifest.expiresAt)
  const lines = [
    `${state.environment} version ${manifest.version}, ${formatAge(now - Date.parse(manifest.issuedAt))} old, by ${manifest.actor}: ${manifest.reason}`,
    `commit ${manifest.commit ?? 'none'}`,
    isExpired(manifest, now)
      ? `EXPIRED on ${manifest.expiresAt}: instances take no change. Run needle refresh`
      : `expires in ${formatAge(expires - now)}`,
    ...(pointer.status === 'current'
      ? []
      : [
          `manifest.json is ${pointer.status}, instances do not see this (${pointer.fault?.code}: ${pointer.fault?.message}). The next publish puts it right, or: needle refresh --environment ${state.environment} --reason "…"`,
        ]),
    '',
    formatTable([...functions].map(([name, each]) => describeFunction(name, each))),
    ...state.quarantine.map(
      (entry) =>
        `quarantined: ${entry.function} ${pairName(entry)} by ${entry.by} since ${entry.since}: ${entry.reason}`,
    ),
    ...(instances.length === 0 ? [] : ['', formatTable(instances.map(describeInstance))]),
  ]
  return {
    text: lines.join('\n'),
    json: {
      environment: state.environment,
      manifest,
      pointer: pointer.status,
      pointerFault: pointer.fault && { code: pointer.fault.code, message: pointer.fault.message },
      functions: Object.fromEntries(functions),
      quarantine: state.quarantine.map((entry) => ({ ...entry, pair: pairName(entry) })),
      instances,
    },
    // A publisher between its last two writes leaves it behind for a moment; the rest is no accident.
    exitCode:
      pointer.status === 'current' || pointer.status === 'behind' ? exitCode.ok : exitCode.refused,
  }
}

function describeFunction(name: string, state: FunctionState): string[] {
  const { stable, rollout, hold } = state
  return [
    name,
    shortDigest(stable.release),
    rollout === null
      ? ''
      : `canary ${shortDigest(rollout.canary.release)} at ${rollout.weightPercent} %`,
    hold === null ? '' : describeHold(hold),
  ]
}

function describeHold({ mode, by, reason, until, covers }: Hold): string {
  const what = mode === 'stopped' ? 'STOPPED' : 'held'
  const below = covers === undefined ? '' : `; once resumed ${describeHold(covers)}`
  return `${what} by ${by}: ${reason}${until === null ? '' : ` (until ${until})`}${below}`
}

function describeInstance(instance: FleetInstance): string[] {
  const { state, version, reportedAt, frozen, refusals } = instance
  const text = {
    current: 'up to date',
    lagging: 'LAGS',
    silent: `silent since ${reportedAt}`,
  }[state]
  return [
    `instance ${instance.instance}`,
    `version ${version ?? 'none'}`,
    [text, ...(frozen ? ['frozen'] : []), ...new Set(refusals.map(({ code }) => code))].join(', '),
  ]
}
