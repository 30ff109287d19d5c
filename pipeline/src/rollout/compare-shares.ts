import type { AnalysisLimits, ReportedSide } from '@needle-faas/runtime/manifest'

/** How the pooled calls of both sides compare. */
export interface Comparison {
  /** `within`: no limit is passed. `over`: one is, by what may be chance. `worse`: beyond chance. */
  readonly status: 'within' | 'over' | 'worse'
  /** The shares, for people. */
  readonly text: string
}

/**
 * Normal quantile of 1 in 300,000. The shares are looked at every few seconds for hours, and both
 * intervals must part, so that the chance of an equal canary to be called worse stays far below
 * that of the breakers.
 */
const quantile = 4.5

/** Compares shares of failed and of slow calls. Without calls of stable nothing is called worse. */
export function compareShares(
  { stable, canary }: { readonly stable: ReportedSide; readonly canary: ReportedSide },
  limits: AnalysisLimits,
): Comparison {
  const compared = [
    { what: 'failed', rise: limits.errorRise, tallyOf: tallyOfFaults },
    { what: 'slow', rise: limits.slowRise, tallyOf: tallyOfSlow },
    // Among themselves: their share of a side's calls is not that of users.
    { what: 'of probes failed', rise: limits.errorRise, tallyOf: tallyOfProbes },
  ]
  let status: Comparison['status'] = 'within'
  const texts: string[] = []
  for (const { what, rise, tallyOf } of compared) {
    const [tally, other] = [tallyOf(canary), tallyOf(stable)]
    if (tally === null) continue
    const [ours, theirs] = [shareOf(tally), shareOf(other)]
    texts.push(`${toPercent(ours)} ${what}, stable ${toPercent(theirs)}`)
    if (ours - theirs <= rise) continue
    const isBeyondChance = interval(tally).low > interval(other).high
    if (isBeyondChance) status = 'worse'
    else if (status === 'within') status = 'over'
  }
  return { status, text: texts.join('; ') }
}

interface Tally {
  readonly bad: number
  readonly calls: number
}

function tallyOfFaults({ faults, calls }: ReportedSide): Tally {
  return { bad: faults, calls }
}

function tallyOfSlow({ slow, calls }: ReportedSide): Tally {
  return { bad: slow, calls }
}

function tallyOfProbes({ probes }: ReportedSide): Tally | null {
  return probes === undefined ? null : { bad: probes.faults, calls: probes.calls }
}

function shareOf(tally: Tally | null): number {
  return tally === null || tally.calls === 0 ? 0 : tally.bad / tally.calls
}

/** Where the share of bad calls lies (E. B. Wilson: Probable inference. JASA 1927). */
function interval(tally: Tally | null): { low: number; high: number } {
  if (tally === null || tally.calls === 0) return { low: 0, high: 1 }
  const { bad, calls } = tally
  const square = quantile ** 2
  const share = bad / calls
  const centre = share + square / (2 * calls)
  const spread = quantile * Math.sqrt((share * (1 - share)) / calls + square / (4 * calls ** 2))
  const whole = 1 + square / calls
  return { low: (centre - spread) / whole, high: (centre + spread) / whole }
}

function toPercent(share: number): string {
  return `${Number((share * 100).toFixed(2))} %`
}
