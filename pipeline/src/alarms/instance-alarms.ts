import type { ReportedTrip } from '@needle-faas/runtime/manifest'
import { shortDigest } from '@needle-faas/runtime/manifest'
import type { ReportReading } from '../environment-state/instance-reports.ts'
import { type FleetInstance, toFleet } from '../environment-state/fleet.ts'
import type { EnvironmentState } from '../environment-state/environment-state.ts'
import { toFunctionStates } from '../plan/function-states.ts'
import type { AlarmFinding } from './alarm-finding.ts'
import { graceMs } from './manifest-alarms.ts'

/** Refusals that have an alarm of their own. */
const toldElsewhere: ReadonlySet<string> = new Set([
  'CANARY_TRIPPED',
  'STABLE_TRIPPED',
  'MANIFEST_EXPIRED',
])

/** What instances say of themselves: one alarm for all that say the same. */
export function findInstanceAlarms(
  state: EnvironmentState,
  readings: readonly ReportReading[],
  now: number,
): readonly AlarmFinding[] {
  const manifest = state.newest?.manifest
  if (manifest === undefined) return []
  const fleet = toFleet(manifest, readings, now)
  const findings: AlarmFinding[] = []

  const lagging = fleet.filter((instance) => instance.state === 'lagging')
  if (lagging.length > 0 && now - Date.parse(manifest.issuedAt) > graceMs) {
    findings.push({
      code: 'INSTANCES_LAG',
      severity: 'warning',
      text: `${listed(named(lagging))} of ${fleet.length} run an older manifest than version ${manifest.version}. needle status tells which and why`,
      since: manifest.issuedAt,
      instances: named(lagging),
      details: { version: manifest.version },
    })
  }
  const silent = fleet.filter((instance) => instance.state === 'silent')
  if (silent.length > 0) {
    findings.push({
      code: 'INSTANCES_SILENT',
      severity: 'warning',
      text: `${listed(named(silent))} of ${fleet.length} died without a word, or are cut off from the store and serve what they had. End those that still run`,
      since: earliest(silent.map(({ reportedAt }) => reportedAt)),
      instances: named(silent),
    })
  }
  const alive = fleet.filter((instance) => instance.state !== 'silent')
  const frozen = alive.filter((instance) => instance.frozen)
  if (frozen.length > 0) {
    findings.push({
      code: 'FROZEN',
      severity: 'critical',
      text: `${listed(named(frozen))} of ${fleet.length} take no change: the manifest they see has expired. needle refresh --environment ${state.environment} --reason "…"; if it is fresh, they are shown an old one, or their clocks are wrong`,
      since: earliest(frozen.map(({ reportedAt }) => reportedAt)),
      instances: named(frozen),
    })
  }
  const names = new Set(named(alive))
  const heard = readings.filter(({ instance }) => names.has(instance))
  return [
    ...findings,
    ...findRefusals(alive),
    ...findTrips(state, heard),
    ...findBadStables(state, heard),
  ]
}

function named(chosen: readonly FleetInstance[]): readonly string[] {
  return chosen.map(({ instance }) => instance)
}

function findRefusals(alive: readonly FleetInstance[]): readonly AlarmFinding[] {
  const groups = Map.groupBy(
    alive.flatMap(({ instance, refusals }) =>
      refusals
        .filter(({ code }) => !toldElsewhere.has(code))
        .map((refusal) => ({ instance, refusal })),
    ),
    ({ refusal }) => `${refusal.function ?? ''} ${refusal.code}`,
  )
  return [...groups.values()].flatMap((group): AlarmFinding[] => {
    const [first] = group
    if (first === undefined) return []
    const { code, function: name, message } = first.refusal
    const instances = group.map(({ instance }) => instance)
    const shared = {
      since: earliest(group.map(({ refusal }) => refusal.since)),
      instances: [...new Set(instances)],
      details: { code },
    }
    if (code === 'MANIFEST_FORKED') {
      const text = `${listed(shared.instances)} were shown two manifests of one version: ${message}. Find out who signed the second`
      return [{ ...shared, code: 'FORKED', severity: 'critical', text, subject: 'instances' }]
    }
    return [
      {
        ...shared,
        code: 'REFUSED',
        severity: name === null ? 'critical' : 'warning',
        ...(name !== null && { function: name }),
        subject: code,
        text: `${listed(shared.instances)} refuse ${name === null ? 'the manifest' : 'a release and serve the last good one'}: ${code}: ${message}`,
      },
    ]
  })
}

/** Trips of the rollout that runs; those of one that is over are history. */
function findTrips(
  state: EnvironmentState,
  readings: readonly ReportReading[],
): readonly AlarmFinding[] {
  return [...toFunctionStates(state.groups)].flatMap(([name, { rollout }]): AlarmFinding[] => {
    if (rollout === null) return []
    const tripped = readings.flatMap(({ instance, report }) => {
      const told = report.functions[name]?.rollout
      const isOfIt = told?.salt === rollout.salt && told.canary === rollout.canary.release
      return isOfIt && told.trip !== null ? [{ instance, trip: told.trip }] : []
    })
    const [first] = tripped
    if (first === undefined) return []
    const instances = tripped.map(({ instance }) => instance)
    const at = shortDigest(rollout.canary.release)
    return [
      {
        code: 'CANARY_TRIPPED',
        severity: 'critical',
        function: name,
        subject: rollout.salt,
        text: `canary ${at} was cut off on ${listed(instances)}: ${formatTrip(first.trip)}. needle abort ${name} --reason "…" stops it everywhere`,
        since: earliest(tripped.map(({ trip }) => trip.at)),
        instances,
        details: { release: rollout.canary.release, trips: tripped },
      },
    ]
  })
}

function formatTrip({ cause, canary, stable }: ReportedTrip): string {
  return cause === 'errors'
    ? `${canary.faults} of its ${canary.calls} calls failed, ${stable.faults} of ${stable.calls} on stable`
    : `${canary.slow} of its ${canary.calls} calls were slow, ${stable.slow} of ${stable.calls} on stable`
}

/** What serves all, and was shown to fail: within its rollback window instances went back, later they only tell. */
function findBadStables(
  state: EnvironmentState,
  readings: readonly ReportReading[],
): readonly AlarmFinding[] {
  return [...toFunctionStates(state.groups)].flatMap(([name, { stable }]): AlarmFinding[] => {
    const told = readings.flatMap(({ instance, report }) => {
      const { stableTrip, stableFailure } = report.functions[name] ?? {}
      const failure = stableTrip ?? stableFailure
      if (failure?.stable !== stable.release) return []
      return [{ instance, failure, wentBack: stableTrip !== undefined }]
    })
    const alarms = Map.groupBy(told, ({ wentBack }) => wentBack)
    return [...alarms].flatMap(([wentBack, group]): AlarmFinding[] => {
      const [first] = group
      if (first === undefined) return []
      const { calls, faults } = first.failure
      const instances = group.map(({ instance }) => instance)
      const shown = `${shortDigest(stable.release)} failed ${faults} of ${calls} calls on ${first.instance}`
      const shared = {
        function: name,
        subject: stable.release,
        since: earliest(group.map(({ failure }) => failure.at)),
        instances,
        details: { release: stable.release, failures: group },
      }
      const roll = `needle rollback ${name} --reason "…"`
      return wentBack
        ? [
            {
              ...shared,
              code: 'STABLE_TRIPPED',
              severity: 'critical',
              text: `${shown}, so ${listed(instances)} went back to the release before it. ${roll} does so everywhere`,
            },
          ]
        : [
            {
              ...shared,
              code: 'STABLE_FAILING',
              severity: 'critical',
              text: `${shown}, more than was usual before it; nothing changes by itself. ${roll} goes back, if it is the function's fault`,
            },
          ]
    })
  })
}

/** Names while there are few. */
function listed(instances: readonly string[]): string {
  return instances.length <= 5
    ? instances.join(', ')
    : `${instances.slice(0, 5).join(', ')} and ${instances.length - 5} more`
}

function earliest(times: readonly string[]): string {
  return new Date(Math.min(...times.map((time) => Date.parse(time)))).toISOString()
}
