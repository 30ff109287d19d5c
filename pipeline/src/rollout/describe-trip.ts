import type { ReportedTrip } from '@needle-faas/runtime/manifest'
import { noProbes } from './counts.ts'

/** `9 of 10 calls failed, of stable 1 of 90`: users' calls, or probes where those say more. */
export function describeTrip({ cause, stable, canary }: ReportedTrip): string {
  if (cause === 'latency') {
    return `${canary.slow} of ${canary.calls} calls were slow, of stable ${stable.slow} of ${stable.calls}`
  }
  const [ours, theirs] = [canary.probes ?? noProbes, stable.probes ?? noProbes]
  if (ours.faults > canary.faults) {
    return `${ours.faults} of ${ours.calls} probes failed, of stable ${theirs.faults} of ${theirs.calls}`
  }
  return `${canary.faults} of ${canary.calls} calls failed, of stable ${stable.faults} of ${stable.calls}`
}
