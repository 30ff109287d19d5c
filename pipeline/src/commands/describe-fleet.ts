import type { FleetInstance } from '../environment-state/fleet.ts'
import { hasFollowed, type FleetWait } from './await-fleet.ts'
import { counted } from './counted.ts'
import { formatAge } from '../format-age.ts'
import { formatTable } from './table.ts'

/** `3 of 5 instances run version 42, 1 silent`. */
export function countFollowers(
  instances: readonly FleetInstance[],
  { manifest, function: functionName }: Pick<FleetWait, 'manifest' | 'function'>,
): string {
  const followers = instances.filter((instance) => hasFollowed(instance, functionName)).length
  const silent = instances.filter(({ state }) => state === 'silent').length
  const run = instances.length === 1 ? 'runs' : 'run'
  const counts = `${followers} of ${counted(instances.length, 'instance')} ${run} version ${manifest.version}`
  return silent === 0 ? counts : `${counts}, ${silent} silent`
}

/**
 * Whether the fleet has followed, and by name who has not and why, in lines.
 *
 * @param now - Epoch milliseconds.
 */
export function describeFleet(wait: FleetWait, now: number): readonly string[] {
  const { instances, converged, waitedMs, function: functionName } = wait
  if (instances.length === 0) {
    return ['No instance reports here, so whether any has followed cannot be told']
  }
  const after = waitedMs < 1000 ? '' : `After ${formatAge(waitedMs)}: `
  const text = `${after}${countFollowers(instances, wait)}`
  if (converged) return [text]
  const others = instances.filter((instance) => !hasFollowed(instance, functionName))
  return [
    `${text}. The others:`,
    formatTable(others.map((instance) => describeInstance(instance, functionName, now))),
    'Lagging ones follow by themselves once they reach the store. Silent ones died, or serve what they had: end those that still run. needle status shows how it goes on',
  ]
}

function describeInstance(
  instance: FleetInstance,
  functionName: string,
  now: number,
): readonly string[] {
  const { state, version, reportedAt } = instance
  const refusals = instance.refusals.filter(
    (refusal) => refusal.function === null || refusal.function === functionName,
  )
  const age = formatAge(now - Date.parse(reportedAt))
  return [
    `  ${instance.instance}`,
    `version ${version ?? 'none'}`,
    [
      state === 'silent'
        ? `silent since ${reportedAt} (${age})`
        : state === 'lagging'
          ? `LAGS, reported ${age} ago`
          : 'REFUSES it',
      ...refusals.map(({ code, message }) => `${code}: ${message}`),
    ].join(', '),
  ]
}
