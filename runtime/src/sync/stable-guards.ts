import type { Digest } from '../manifest/digest.ts'
import type { FunctionState, ReleaseRef } from '../manifest/group-document.ts'
import type { ReportedStableTrip } from '../manifest/instance-report.ts'
import { findQuarantined } from '../manifest/quarantine.ts'
import type { CallMetrics } from '../metrics/call-metrics.ts'
import { canaryTimeMs } from '../rollout/canary-time.ts'
import { createStableJudge, type StableJudge, toTally } from '../rollout/stable-judge.ts'
import { toRevisionId } from '../function/revision.ts'
import { pause } from '../pause.ts'
import type { DesiredState } from './desired-state.ts'
import { hasSameRoute, type LazyRevision } from './lazy-revision.ts'

/** A stable within its rollback window: until then it goes back to its successor by itself. */
export interface GuardedStable {
  /** What answers in the stead of this revision; null when that one is not guarded, or nothing can. */
  successorOf(revision: LazyRevision): LazyRevision | null
  /** How long stable may take of a call that its successor may have to answer after it; null: all its time. */
  capMs(timeoutMs: number): number | null
  /** A call was answered by stable, or failed. */
  record(isFault: boolean): void
  /** A call that failed left no time for the successor: it gets half of the next, until stable answers. */
  tookAllTime(): void
  /** The successor failed at a call, too: nobody's fault. */
  bothFailed(): void
}

/** The rollback windows of the functions that serve here. */
export interface StableGuards {
  /** By function; functions outside a window are absent. */
  readonly guarded: ReadonlyMap<string, GuardedStable>
  /**
   * To be called after every activation, and every now and then: windows end. One call after the other;
   * lets others have their turn in between.
   */
  follow(desired: Pick<DesiredState, 'functions' | 'quarantine'>): Promise<void>
  /** Whether the stable of this state failed here within its window; another state is another matter. */
  isTripped(functionName: string, state: FunctionState): boolean
  tripOf(functionName: string, state: FunctionState): ReportedStableTrip | null
}

export interface StableGuardsOptions {
  /** Epoch milliseconds. */
  readonly now: () => number
  /** Of this process; null when it is not registered. */
  readonly revisionOf: (release: Digest) => LazyRevision | null
  /** Of this process; null when it was not loaded here lately. */
  readonly metricsOf: (functionName: string, revisionId: string) => CallMetrics | null
  /** Once: stable has been shown to fail more often than was usual before it. */
  readonly onTrip: (
    functionName: string,
    trip: {
      readonly stable: ReleaseRef
      readonly successor: ReleaseRef
      readonly told: ReportedStableTrip
    },
  ) => void
}

interface Window {
  readonly stable: ReleaseRef
  readonly successor: ReleaseRef
  readonly rollbackUntil: string
}

interface Watched extends Window {
  readonly guard: GuardedStable
}

export function createStableGuards(options: StableGuardsOptions): StableGuards {
  const { now } = options
  const watched = new Map<string, Watched>()
  const guarded = new Map<string, GuardedStable>()
  const tripped = new Map<string, Window & { readonly told: ReportedStableTrip }>()

  const watch = (name: string, window: Window): void => {
    const known = watched.get(name)
    if (known !== undefined && isSameWindow(known, window)) return
    const guard = guardOf(name, window)
    watched.set(name, { ...window, guard })
    guarded.set(name, guard)
  }
  const unwatch = (name: string): void => {
    watched.delete(name)
    guarded.delete(name)
  }

  const findTrip = (name: string, { stable, rollbackUntil }: FunctionState) => {
    const known = tripped.get(name)
    const isSame = known?.stable.release === stable.release && known.rollbackUntil === rollbackUntil
    return isSame ? known : null
  }

  const trip = (
    name: string,
    window: Window,
    verdict: Omit<ReportedStableTrip, 'at' | 'stable' | 'successor'>,
  ): void => {
    const { stable, successor } = window
    const current = watched.get(name)
    // A long answer may end after another window has begun: that one is not to blame.
    if (current?.stable.release !== stable.release) return
    if (current.rollbackUntil !== window.rollbackUntil) return
    const told = {
      ...verdict,
      stable: stable.release,
      successor: successor.release,
      at: new Date(now()).toISOString(),
    }
    tripped.set(name, { ...window, told })
    unwatch(name)
    options.onTrip(name, { stable, successor, told })
  }

  const guardOf = (name: string, window: Window): GuardedStable => {
    const { stable, successor } = window
    const until = Date.parse(window.rollbackUntil)
    let judge: StableJudge | null = null
    let usualCapMs: number | null = null
    let isHanging = false

    /** What was usual is looked up when it is first needed: by then its counters are complete. */
    const begin = (timeoutMs: number | null): StableJudge => {
      const before = options.metricsOf(name, toRevisionId(name, successor.release))
      if (timeoutMs === null || before === null || before.calls < knownCalls) {
        return createStableJudge(toTally(before))
      }
      const usualMs = before.durations.quantileMs(usualQuantile)
      usualCapMs = Number.isFinite(usualMs) ? canaryTimeMs(timeoutMs, usualMs) : null
      // Who came before is measured by the time stable has, or would look better for having more.
      const slow = usualCapMs === null ? 0 : before.durations.countAbove(usualCapMs)
      const { calls, bad } = toTally(before)
      return createStableJudge({ calls, bad: bad + slow })
    }

    return {
      successorOf: (revision) => {
        if (revision.releaseDigest !== stable.release || now() >= until) return null
        const found = options.revisionOf(successor.release)
        return found?.isReady === true && hasSameRoute(revision, found) ? found : null
      },
      capMs: (timeoutMs) => {
        judge ??= begin(timeoutMs)
        return usualCapMs ?? (isHanging ? canaryTimeMs(timeoutMs, null) : null)
      },
      record: (isFault) => {
        judge ??= begin(null)
        if (!isFault) isHanging = false
        const verdict = judge.add({ calls: 1, bad: isFault ? 1 : 0 })
        if (verdict !== null) trip(name, window, verdict)
      },
      tookAllTime: () => {
        isHanging = true
      },
      bothFailed: () => {
        isHanging = false
      },
    }
  }

  const windowOf = (
    name: string,
    state: FunctionState,
    { quarantine }: Pick<DesiredState, 'quarantine'>,
  ): Window | null => {
    const { stable, previous, rollbackUntil } = state
    if (rollbackUntil === undefined || Date.parse(rollbackUntil) <= now()) return null
    if (findTrip(name, state) !== null) return null
    const successor = previous.find(
      (ref) =>
        ref.release !== stable.release && findQuarantined(quarantine, name, ref) === undefined,
    )
    return successor === undefined ? null : { stable, successor, rollbackUntil }
  }

  return {
    get guarded() {
      return guarded
    },
    follow: async (desired) => {
      for (const [name, state] of desired.functions) {
        await pause()
        const window = windowOf(name, state, desired)
        if (window === null) unwatch(name)
        else watch(name, window)
      }
      for (const name of watched.keys()) if (!desired.functions.has(name)) unwatch(name)
      for (const [name, { stable, rollbackUntil }] of tripped) {
        const state = desired.functions.get(name)
        const isOver =
          state?.stable.release !== stable.release || state.rollbackUntil !== rollbackUntil
        if (isOver) tripped.delete(name)
      }
    },
    isTripped: (name, state) => findTrip(name, state) !== null,
    tripOf: (name, state) => findTrip(name, state)?.told ?? null,
  }
}

/** Calls of what served before, from which on they say how long a call usually takes. */
const knownCalls = 64
const usualQuantile = 0.95

function isSameWindow(a: Window, b: Window): boolean {
  return (
    a.stable.release === b.stable.release &&
    a.successor.release === b.successor.release &&
    a.rollbackUntil === b.rollbackUntil
  )
}
