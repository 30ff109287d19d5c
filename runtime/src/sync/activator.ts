import type { Clock } from '../clock.ts'
import { isRuntimeError, RuntimeError } from '../errors.ts'
import type { Revision } from '../function/revision.ts'
import type { Digest } from '../manifest/digest.ts'
import type { ReleaseRef } from '../manifest/group-document.ts'
import type { Release } from '../manifest/release.ts'
import type { DesiredState } from './desired-state.ts'
import type { FailureMemory } from './failure-memory.ts'
import { type FunctionPlan, planActivation, type ServingState } from './plan-activation.ts'
import { collectRefusals, type Refusal } from './refusal.ts'
import type { RevisionPool } from './revision-pool.ts'
import { nextServing, type Serving, type ServingCell } from './serving.ts'
import { isSameService, type Slot } from './slot.ts'
import { soughtReleases } from './sought-releases.ts'

export interface Activator {
  /** By function; functions without refusals are absent. */
  readonly refusals: ReadonlyMap<string, readonly Refusal[]>
  /**
   * Moves every function to its desired state by itself: one that fails keeps what it has. Rejects
   * only when `signal` aborts.
   */
  activate(desired: DesiredState, signal: AbortSignal): Promise<void>
  /** Loads the proven releases a rollback would go to. Best effort. */
  warm(desired: DesiredState, signal: AbortSignal): Promise<void>
  /**
   * Takes a runaway revision out of service at once and for good: stable takes over from a canary,
   * the first proven release that is loaded takes over from stable. Loads nothing.
   */
  expel(revision: Revision, proven: readonly ReleaseRef[]): void
}

export interface ActivatorOptions {
  /** What it moves. */
  readonly serving: ServingCell
  readonly pool: RevisionPool
  readonly failures: FailureMemory
  readonly clock: Clock
  readonly warmPrevious: number
  /** Releases that served before a restart. */
  readonly lastGood: () => ReadonlyMap<string, ReleaseRef>
  readonly readRelease: (name: string, ref: ReleaseRef, signal: AbortSignal) => Promise<Release>
  readonly onRefused: (functionName: string, refusal: Refusal) => void
  readonly onSwap: (changed: readonly Slot[]) => void
}

/** One function that is slow to arrive does not keep the others waiting longer than this. */
const partialSwapMs = 500

export function createActivator(options: ActivatorOptions): Activator {
  const { serving, pool, failures, clock } = options
  let refusals: ReadonlyMap<string, readonly Refusal[]> = new Map()

  const plan = (desired: DesiredState): readonly FunctionPlan[] =>
    planActivation({
      serving: new Map(
        [...serving.current.slots].map(([name, slot]) => [name, servingState(slot)]),
      ),
      desired: desired.functions,
      quarantine: desired.quarantine,
      lastGood: options.lastGood(),
      failed: failures.blocked(clock.now()),
      warmPrevious: options.warmPrevious,
    })

  const tryLoad = async (name: string, ref: ReleaseRef, signal: AbortSignal) => {
    try {
      const revision = await pool.load(name, ref, signal)
      // Stopped since: what `expel` noted stands.
      if (revision.isRunaway) return null
      failures.forget(ref.release)
      return revision
    } catch (error) {
      signal.throwIfAborted()
      failures.record({
        function: name,
        release: ref.release,
        error: toRuntimeError(error, name),
        now: clock.now(),
      })
      return null
    }
  }

  const loadStable = async (
    { function: name, stable }: FunctionPlan,
    signal: AbortSignal,
  ): Promise<Pick<Slot, 'stable' | 'http'> | null> => {
    for (const ref of stable) {
      const revision = await tryLoad(name, ref, signal)
      if (revision !== null) {
        return { stable: { ref, revision }, http: revision.release.settings.http }
      }
    }
    return null
  }

  /** Stopping must work for code that takes the process down when it loads, so nothing is loaded for it. */
  const keepStopped = async (
    { function: name, stable: [ref] }: FunctionPlan,
    signal: AbortSignal,
  ): Promise<Pick<Slot, 'stable' | 'http'> | null> => {
    const before = serving.current.slots.get(name)
    if (ref === undefined) return null
    const revision = pool.get(ref.release) ?? null
    if (revision !== null)
      return { stable: { ref, revision }, http: revision.release.settings.http }
    try {
      const release = await options.readRelease(name, ref, signal)
      return { stable: { ref, revision }, http: release.settings.http }
    } catch (error) {
      signal.throwIfAborted()
      failures.record({
        function: name,
        release: ref.release,
        error: toRuntimeError(error, name),
        now: clock.now(),
      })
      return before === undefined ? null : { stable: before.stable, http: before.http }
    }
  }

  const prepare = async (
    plan: FunctionPlan,
    version: number,
    signal: AbortSignal,
  ): Promise<Slot | null> => {
    const before = serving.current.slots.get(plan.function)
    const base = await (plan.stopped ? keepStopped(plan, signal) : loadStable(plan, signal))
    const canaryRevision =
      plan.canary === null || plan.stopped || base === null
        ? null
        : await tryLoad(plan.function, plan.canary.ref, signal)
    // Nothing of it may serve, but its route answers 503 rather than 404.
    const fallback = before === undefined ? null : { stable: null, http: before.http }
    const target = base ?? fallback
    if (target === null) return null
    const slot: Slot = {
      function: plan.function,
      stable: target.stable,
      canary:
        plan.canary === null || canaryRevision === null
          ? null
          : { ...plan.canary, revision: canaryRevision },
      http: target.http,
      stopped: plan.stopped,
      since: clock.now(),
      manifestVersion: version,
    }
    return before !== undefined && isSameService(before, slot) ? before : slot
  }

  const loadedOf = (proven: readonly ReleaseRef[]): Slot['stable'] => {
    const blocked = failures.blocked(clock.now())
    for (const ref of proven) {
      const revision = blocked.has(ref.release) ? undefined : pool.get(ref.release)
      if (revision !== undefined) return { ref, revision }
    }
    return null
  }

  const swap = (wanted: ReadonlyMap<string, Slot>): ReadonlyMap<string, RuntimeError> => {
    // Prepared before one of them ran away, perhaps.
    const next = nextServing(
      serving.current,
      new Map([...wanted].map(([name, slot]) => [name, withoutRunaways(slot)])),
    )
    const changed = [...next.serving.slots.values()].filter(
      (slot) => serving.current.slots.get(slot.function) !== slot,
    )
    const isChanged = changed.length > 0 || next.serving.slots.size !== serving.current.slots.size
    serving.current = next.serving
    if (isChanged) options.onSwap(changed)
    return next.conflicts
  }

  return {
    get refusals() {
      return refusals
    },
    activate: async (desired, signal) => {
      const plans = plan(desired)
      const wanted = new Map(serving.current.slots)

      const preparing = Promise.all(
        plans
          .filter((each) => each.action === 'activate')
          .map(async (each) => {
            const slot = await prepare(each, desired.manifest.version, signal)
            if (slot === null) wanted.delete(each.function)
            else wanted.set(each.function, slot)
          }),
      )
      const ended = new AbortController()
      const done = preparing.then(() => true).finally(() => ended.abort())
      const pause = () => clock.sleep(partialSwapMs, ended.signal).then(() => ended.signal.aborted)
      while (!(await Promise.race([done, pause()]))) swap(wanted)
      await done

      for (const each of plans) if (each.action === 'retire') wanted.delete(each.function)
      const conflicts = swap(wanted)

      failures.keepOnly(soughtReleases(desired, serving.current))
      const before = refusals
      refusals = collectRefusals({ plans, desired, conflicts, failures, before, now: clock.now() })
      for (const [name, list] of refusals) {
        for (const refusal of list) {
          if (before.get(name)?.includes(refusal) !== true) options.onRefused(name, refusal)
        }
      }
      pool.keepOnly(new Set([...releasesInUse(serving.current), ...plans.flatMap(warmReleases)]))
    },
    warm: async (desired, signal) => {
      for (const each of plan(desired)) {
        for (const ref of each.stopped ? [] : each.warm) {
          if (signal.aborted) return
          // A proven release that fails now is refused when it is wanted, not before.
          await pool.load(each.function, ref, signal).catch(() => null)
        }
      }
    },
    expel: (revision, proven) => {
      const name = revision.release.function
      failures.record({
        function: name,
        release: revision.releaseDigest,
        error: new RuntimeError(
          'FUNCTION_RUNAWAY',
          `${revision.id} held up the process and was stopped. Publish a fix; this release serves here no more.`,
          { details: { revision: revision.id } },
        ),
        now: clock.now(),
      })
      const before = serving.current.slots.get(name)
      if (before !== undefined && withoutRunaways(before) !== before) {
        const left = withoutRunaways(before)
        const stable = left.stable ?? loadedOf(proven)
        swap(new Map(serving.current.slots).set(name, { ...left, stable, since: clock.now() }))
      }
      pool.retire(revision.releaseDigest)
    },
  }
}

function withoutRunaways(slot: Slot): Slot {
  const hasStable = slot.stable?.revision?.isRunaway !== true
  const hasCanary = slot.canary?.revision.isRunaway !== true
  if (hasStable && hasCanary) return slot
  return {
    ...slot,
    stable: hasStable ? slot.stable : null,
    canary: hasCanary ? slot.canary : null,
  }
}

function servingState(slot: Slot): ServingState {
  return { stable: slot.stable?.ref ?? null, canary: slot.canary, stopped: slot.stopped }
}

function releasesInUse(serving: Serving): Digest[] {
  return [...serving.slots.values()]
    .flatMap((slot) => [slot.stable?.ref.release, slot.canary?.ref.release])
    .filter((release) => release !== undefined)
}

function warmReleases(plan: FunctionPlan): Digest[] {
  return plan.warm.map((ref) => ref.release)
}

function toRuntimeError(error: unknown, functionName: string): RuntimeError {
  if (isRuntimeError(error)) return error
  return new RuntimeError(
    'FUNCTION_THROWS_AT_LOAD',
    `${functionName} could not be loaded: ${error instanceof Error ? error.message : String(error)}`,
    { cause: error },
  )
}
