import type { Digest } from '../manifest/digest.ts'
import type { ReportedStableFailure } from '../manifest/instance-report.ts'
import type { CallMetrics } from '../metrics/call-metrics.ts'
import type { Tally } from '../rollout/sequential-test.ts'
import { pause } from '../pause.ts'
import { createStableJudge, type StableJudge, toTally } from '../rollout/stable-judge.ts'
import { toRevisionId } from '../function/revision.ts'
import type { DesiredState } from './desired-state.ts'
import type { Serving } from './serving.ts'
import type { Alarm } from './status.ts'

/** Stables that fail more often than was usual before them: told of, and left where they are. */
export interface FailingStables {
  /**
   * To be called every now and then: judges what the counters of the revisions say, so that calls
   * pay nothing for it. Lets others have their turn in between.
   */
  look(serving: Serving, desired: Pick<DesiredState, 'functions'>): Promise<void>
  /** Of this release; null when nothing speaks against it. */
  failureOf(functionName: string, stable: Digest): ReportedStableFailure | null
  readonly alarms: readonly Alarm[]
}

export interface FailingStablesOptions {
  /** Epoch milliseconds. */
  readonly now: () => number
  /** Of this process; null when it was not loaded here lately. */
  readonly metricsOf: (functionName: string, revisionId: string) => CallMetrics | null
  /** Once per release. */
  readonly onFailing: (
    functionName: string,
    revisionId: string,
    failure: ReportedStableFailure,
  ) => void
}

interface Watched {
  readonly stable: Digest
  readonly judge: StableJudge
  seen: Tally
  failure: ReportedStableFailure | null
}

export function createFailingStables({
  now,
  metricsOf,
  onFailing,
}: FailingStablesOptions): FailingStables {
  const watched = new Map<string, Watched>()

  const watch = (name: string, stable: Digest, before: CallMetrics | null): Watched => {
    const known = watched.get(name)
    if (known?.stable === stable) return known
    const judge = createStableJudge(toTally(before))
    const fresh = { stable, judge, seen: { calls: 0, bad: 0 }, failure: null }
    watched.set(name, fresh)
    return fresh
  }

  return {
    look: async ({ slots }, { functions }) => {
      for (const [name, { stable }] of slots) {
        await pause()
        const metrics = stable === null ? null : metricsOf(name, stable.revision.id)
        // Most never fail: nothing is kept for them.
        const tally = toTally(metrics)
        if (stable === null || tally.bad === 0) continue
        const { release } = stable.ref
        const before = functions.get(name)?.previous.find((ref) => ref.release !== release)
        const one = watch(
          name,
          release,
          before === undefined ? null : metricsOf(name, toRevisionId(name, before.release)),
        )
        const { calls, bad } = tally
        const verdict = one.judge.add({ calls: calls - one.seen.calls, bad: bad - one.seen.bad })
        one.seen = tally
        if (verdict === null) continue
        one.failure = { ...verdict, stable: release, at: new Date(now()).toISOString() }
        onFailing(name, stable.revision.id, one.failure)
      }
      for (const [name, { stable }] of watched) {
        if (slots.get(name)?.stable?.ref.release !== stable) watched.delete(name)
      }
    },
    failureOf: (name, stable) => {
      const known = watched.get(name)
      return known?.stable === stable ? known.failure : null
    },
    get alarms() {
      return [...watched].flatMap(([name, { failure }]) =>
        failure === null ? [] : [toAlarm(name, failure)],
      )
    },
  }
}

function toAlarm(name: string, { faults, calls, usualShare, at }: ReportedStableFailure): Alarm {
  return {
    code: 'STABLE_FAILING',
    message: `${name} failed at ${faults} of ${calls} calls, where ${percent(usualShare)} of them is usual. Roll back, or publish a fix: nothing changes by itself.`,
    since: at,
  }
}

function percent(share: number): string {
  return `${Number((share * 100).toPrecision(2))} %`
}
