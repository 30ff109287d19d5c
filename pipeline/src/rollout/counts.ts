import type { ReportedSide } from '@needle-faas/runtime/manifest'

export function sumOf(a: ReportedSide, b: ReportedSide): ReportedSide {
  const sum = { calls: a.calls + b.calls, faults: a.faults + b.faults, slow: a.slow + b.slow }
  if (a.probes === undefined && b.probes === undefined) return sum
  const [ours, theirs] = [a.probes ?? noProbes, b.probes ?? noProbes]
  const probes = { calls: ours.calls + theirs.calls, faults: ours.faults + theirs.faults }
  return { ...sum, probes }
}

/** What is left of a sum when one of those that made it is taken away. */
export function differenceOf(sum: ReportedSide, part: ReportedSide): ReportedSide {
  const { calls, faults, slow, probes } = sum
  const rest = {
    calls: calls - part.calls,
    faults: faults - part.faults,
    slow: slow - part.slow,
  }
  if (probes === undefined) return rest
  const { calls: made, faults: failed } = part.probes ?? noProbes
  return { ...rest, probes: { calls: probes.calls - made, faults: probes.faults - failed } }
}

/** Whether any count of `a` is below that of `b`. */
export function isLess(a: ReportedSide, b: ReportedSide): boolean {
  const [ours, theirs] = [a.probes ?? noProbes, b.probes ?? noProbes]
  return (
    a.calls < b.calls ||
    a.faults < b.faults ||
    a.slow < b.slow ||
    ours.calls < theirs.calls ||
    ours.faults < theirs.faults
  )
}

/** `120 calls`, `120 calls and 8 probes`. */
export function describeCalls({ calls, probes }: ReportedSide): string {
  return probes === undefined ? `${calls} calls` : `${calls} calls and ${probes.calls} probes`
}

export const noCalls: ReportedSide = { calls: 0, faults: 0, slow: 0 }

export const noProbes = { calls: 0, faults: 0 }
