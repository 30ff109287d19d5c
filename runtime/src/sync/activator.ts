import type { Clock } from '../clock.ts'
import { isRuntimeError, RuntimeError } from '../errors.ts'
import { pause } from '../pause.ts'
import type { Digest } from '../manifest/digest.ts'
import type { Revision } from '../function/revision.ts'
import type { FunctionState, ReleaseRef } from '../manifest/group-document.ts'
import type { DesiredState } from './desired-state.ts'
import type { FailureMemory } from './failure-memory.ts'
import { isSought } from './is-sought.ts'
import type { LazyRevision } from './lazy-revision.ts'
import {
  type FunctionPlan,
  planActivation,
  type RolloutIdentity,
  type ServingState,
} from './plan-activation.ts'
import { collectRefusals, type Refusal } from './refusal.ts'
import type { RevisionPool } from './revision-pool.ts'
import { nextServing, type Serving, type ServingCell, withSlot } from './serving.ts'
import { isSameService, type Slot } from './slot.ts'

export interface Activator {
  /** By function; functions without refusals are absent. */
  readonly refusals: ReadonlyMap<string, readonly Refusal[]>
  /**
   * Moves every function to its desired state by itself: one that fails keeps what it has. Loads
   * the stable releases of `eager` functions and all canaries; the others are loaded by their first
   * call. Rejects only when `signal` aborts.
   */
  activate(
    desired: DesiredState,
    options: { readonly eager: ReadonlySet<string>; readonly signal: AbortSignal },
  ): Promise<void>
  /** Loads the proven releases a rollback of these functions would go to. Best effort. */
  warm(
    desired: DesiredState,
    options: { readonly functions: ReadonlySet<string>; readonly signal: AbortSignal },
  ): Promise<void>
  /**
   * Takes a runaway revision out of service at once and for good: stable takes over from a canary,
   * the first proven release at hand takes over from stable. Loads nothing.
   */
  expel(revision: RevisionIdentity, proven: readonly ReleaseRef[]): void
  /** Takes a canary that was stopped here out of service at once; it ends the calls it has. */
  withdrawCanary(functionName: string): void
  /**
   * Lets this release, which is loaded, take over from stable at once; that one ends the calls it has.
   * Returns whether it did.
   */
  replaceStable(functionName: string, successor: ReleaseRef): boolean
  /** As `expel`, for one that did not load when it was first called. */
  reject(
    revision: LazyRevision,
    error: unknown,
    options: { readonly proven: readonly ReleaseRef[]; readonly signal: AbortSignal },
  ): Promise<void>
}

type RevisionIdentity = Pick<Revision, 'id' | 'release' | 'releaseDigest'>

export interface ActivatorOptions {
  /** What it moves. */
  readonly serving: ServingCell
  readonly pool: RevisionPool
  readonly failures: FailureMemory
  readonly clock: Clock
  readonly warmPrevious: number
  /** Whether the canary of this rollout was stopped here. */
  readonly isTripped: (functionName: string, rollout: RolloutIdentity) => boolean
  /** Whether the stable of this state failed here within its rollback window. */
  readonly isStableTripped: (functionName: string, state: FunctionState) => boolean
  /** Releases that served before a restart. */
  readonly lastGood: () => ReadonlyMap<string, ReleaseRef>
  readonly onRefused: (functionName: string, refusal: Refusal) => void
  readonly onSwap: (changed: readonly Slot[]) => void
}

/** One function that is slow to arrive does not keep the others waiting longer than this. */
const partialSwapMs = 500

export function createActivator(options: ActivatorOptions): Activator {
  const { serving, pool, failures, clock } = options
  let refusals: ReadonlyMap<string, readonly Refusal[]> = new Map()

  const plan = async (
    desired: DesiredState,
    isPlanned: (functionName: string) => boolean = () => true,
  ): Promise<readonly FunctionPlan[]> => {
    await pause()
    const wanted = new Map([...desired.functions].filter(([name]) => isPlanned(name)))
    await pause()
    const { slots } = serving.current
    const served = [...slots].flatMap(([name, slot]): [string, ServingState][] =>
      isPlanned(name) ? [[name, servingState(slot)]] : [],
    )
    return planActivation({
      serving: new Map(served),
      desired: wanted,
      quarantine: desired.quarantine,
      lastGood: options.lastGood(),
      failed: failures.blocked(clock.now()),
      isTripped: options.isTripped,
      isStableTripped: options.isStableTripped,
      warmPrevious: options.warmPrevious,
    })
  }

  const recordFailure = (name: string, release: Digest, error: unknown): void =>
    failures.record({
      function: name,
      release,
      error: toRuntimeError(error, name),
      now: clock.now(),
    })

  /** One that failed before is tried here and now, not at the expense of a call. */
  const obtain = async (
    name: string,
    ref: ReleaseRef,
    { load, signal }: { readonly load: boolean; readonly signal: AbortSignal },
  ): Promise<LazyRevision | null> => {
    const hasFailed = failures.get(ref.release) !== undefined
    try {
      const revision = await pool.register(name, ref, signal)
      if (load || hasFailed) await revision.load()
      // Stopped since: what `expel` noted stands.
      if (revision.isUnfit) return null
      failures.forget(ref.release)
      return revision
    } catch (error) {
      signal.throwIfAborted()
      retireIdle(name, ref.release)
      recordFailure(name, ref.release, error)
      return null
    }
  }

  /** Not what serves: a call that meets its failure has it replaced. */
  const retireIdle = (name: string, release: Digest): void => {
    const revision = pool.get(release)
    const serves = revisionsOf(serving.current.slots.get(name))
    if (revision !== undefined && !serves.includes(revision)) pool.retire(release)
  }

  const obtainFirst = async (
    name: string,
    refs: readonly ReleaseRef[],
    how: { readonly load: boolean; readonly signal: AbortSignal },
  ): Promise<Slot['stable']> => {
    for (const ref of refs) {
      const revision = await obtain(name, ref, how)
      if (revision !== null) return { ref, revision }
    }
    return null
  }

  /** Of a release that may not serve, too: its callers learn that it was refused, not that it is gone. */
  const routeOf = async (
    name: string,
    ref: ReleaseRef | undefined,
    signal: AbortSignal,
  ): Promise<Slot['http'] | undefined> => {
    if (ref === undefined) return undefined
    try {
      return (await pool.register(name, ref, signal)).release.settings.http
    } catch {
      signal.throwIfAborted()
      return undefined
    }
  }

  const prepare = async (
    { function: name, stable: refs, ...plan }: FunctionPlan,
    desired: DesiredState,
    how: { readonly load: boolean; readonly signal: AbortSignal },
  ): Promise<Slot | null> => {
    const before = serving.current.slots.get(name)
    // Stopping must work for code that takes the process down when it loads.
    const load = how.load && !plan.stopped
    const stable = await obtainFirst(name, refs, { ...how, load })
    const canary =
      plan.canary === null || plan.stopped || stable === null
        ? null
        : await obtain(name, plan.canary.ref, { ...how, load: true })
    // Nothing of it may serve, but its route answers 503 rather than 404.
    const http =
      stable?.revision.release.settings.http ??
      before?.http ??
      (await routeOf(name, desired.functions.get(name)?.stable, how.signal))
    if (http === undefined) return null
    const slot: Slot = {
      function: name,
      stable,
      canary: plan.canary === null || canary === null ? null : { ...plan.canary, revision: canary },
      http,
      stopped: plan.stopped,
      since: clock.now(),
      manifestVersion: desired.manifest.version,
    }
    return before !== undefined && isSameService(before, slot) ? before : slot
  }

  /**
   * Who is replaced stands by, until it is retired or serves again: of 1,000 this would take 15 ms
   * at once, and one may serve again before its turn has come.
   */
  const relieve = async (replaced: readonly Slot[]): Promise<void> => {
    for (const slot of replaced) {
      const now = revisionsOf(serving.current.slots.get(slot.function))
      for (const revision of revisionsOf(slot)) {
        if (!now.includes(revision)) pool.standBy(revision)
      }
      await pause()
    }
  }

  /** Returns what is replaced, which is to be relieved. */
  const swap = (next: Serving): readonly Slot[] => {
    const before = serving.current
    const changed = [...next.slots.values()].filter(
      (slot) => before.slots.get(slot.function) !== slot,
    )
    serving.current = next
    for (const slot of changed) for (const revision of revisionsOf(slot)) revision.resume()
    if (changed.length > 0 || next.slots.size !== before.slots.size) options.onSwap(changed)
    return changed.flatMap((slot) => before.slots.get(slot.function) ?? [])
  }

  /** In one assignment, to what serves by then: a runaway may be expelled while routes are built. */
  const apply = async (
    changes: ReadonlyMap<string, Slot | null>,
  ): Promise<ReadonlyMap<string, RuntimeError>> => {
    for (;;) {
      const before = serving.current
      const wanted = new Map(before.slots)
      for (const [name, slot] of changes) {
        if (slot === null) wanted.delete(name)
        else wanted.set(name, fitOf(slot))
        await pause()
      }
      const next = await nextServing(before, wanted)
      await pause()
      if (serving.current !== before) continue
      await relieve(swap(next.serving))
      return next.conflicts
    }
  }

  /** Without what has been stopped here. */
  const fitOf = (slot: Slot): Slot => {
    const { canary } = slot
    const isTripped =
      canary !== null && options.isTripped(slot.function, { canary: canary.ref, salt: canary.salt })
    return withoutUnfit(isTripped ? { ...slot, canary: null } : slot)
  }

  const isBlocked = (ref: ReleaseRef): boolean => failures.blocked(clock.now()).has(ref.release)

  const atHand = (proven: readonly ReleaseRef[]): Slot['stable'] => {
    for (const ref of proven) {
      const revision = isBlocked(ref) ? undefined : pool.get(ref.release)
      if (revision !== undefined && !revision.isUnfit) return { ref, revision }
    }
    return null
  }

  /** Swaps what of this function may serve no more for what is left without it, or for this. */
  const takeOut = (name: string, successor: Slot['stable']): void => {
    const before = serving.current.slots.get(name)
    if (before === undefined || withoutUnfit(before) === before) return
    const left = withoutUnfit(before)
    const stable = left.stable ?? successor
    void relieve(swap(withSlot(serving.current, { ...left, stable, since: clock.now() })))
  }

  return {
    get refusals() {
      return refusals
    },
    activate: async (desired, { eager, signal }) => {
      const plans = await plan(desired)
      /** Null: not desired any more. */
      const changes = new Map<string, Slot | null>()

      const prepareInto = async (each: FunctionPlan): Promise<void> => {
        const load = eager.has(each.function)
        changes.set(each.function, await prepare(each, desired, { load, signal }))
      }
      const prepareAll = async (): Promise<void> => {
        const preparing: Promise<void>[] = []
        for (const each of plans) {
          if (each.action !== 'activate') continue
          const prepared = prepareInto(each)
          // All of them are looked at below; until then nobody takes what one rejects with.
          prepared.catch(() => undefined)
          preparing.push(prepared)
          await pause()
        }
        await Promise.all(preparing)
      }
      const ended = new AbortController()
      const done = prepareAll()
        .then(() => true)
        .finally(() => ended.abort())
      const aWhile = () => clock.sleep(partialSwapMs, ended.signal).then(() => ended.signal.aborted)
      while (!(await Promise.race([done, aWhile()]))) await apply(changes)
      await done

      for (const each of plans) if (each.action === 'retire') changes.set(each.function, null)
      const conflicts = await apply(changes)

      await pause()
      failures.keepSought((failed) => isSought(failed, desired, serving.current))
      const before = refusals
      const now = clock.now()
      refusals = await collectRefusals({ plans, desired, conflicts, failures, before, now })
      for (const [name, list] of refusals) {
        for (const refusal of list) {
          if (before.get(name)?.includes(refusal) !== true) options.onRefused(name, refusal)
        }
      }
      await pause()
      const warm = new Set<Digest>()
      for (const each of plans) {
        for (const release of warmReleases(each)) warm.add(release)
        await pause()
      }
      pool.keepOnly(releasesInUse(serving.current, warm))
    },
    warm: async (desired, { functions, signal }) => {
      for (const each of await plan(desired, (name) => functions.has(name))) {
        if (each.stopped) continue
        await pause()
        for (const ref of each.warm) {
          if (signal.aborted) return
          try {
            const revision = await pool.register(each.function, ref, signal)
            const slot = serving.current.slots.get(each.function)
            if (!revisionsOf(slot).includes(revision)) pool.standBy(revision)
            await revision.load()
          } catch {
            // A proven release that fails now is refused when it is wanted, not before.
            retireIdle(each.function, ref.release)
          }
        }
      }
    },
    expel: ({ id, release: { function: name }, releaseDigest }, proven) => {
      recordFailure(
        name,
        releaseDigest,
        new RuntimeError(
          'FUNCTION_RUNAWAY',
          `${id} held up the process and was stopped. Publish a fix; this release serves here no more.`,
          { details: { revision: id } },
        ),
      )
      pool.get(releaseDigest)?.condemn()
      takeOut(name, atHand(proven))
      pool.retire(releaseDigest)
    },
    withdrawCanary: (name) => {
      const slot = serving.current.slots.get(name)
      if (slot === undefined || fitOf(slot) === slot) return
      void relieve(swap(withSlot(serving.current, { ...fitOf(slot), since: clock.now() })))
    },
    replaceStable: (name, successor) => {
      const slot = serving.current.slots.get(name)
      const stable = atHand([successor])
      if (slot === undefined || stable === null) return false
      void relieve(swap(withSlot(serving.current, { ...slot, stable, since: clock.now() })))
      return true
    },
    reject: async (revision, error, { proven, signal }) => {
      const { releaseDigest: failed } = revision
      const { function: name } = revision.release
      recordFailure(name, failed, error)
      // This one may be tried again at once, but by nobody who waits for an answer.
      const others = proven.filter((ref) => ref.release !== failed && !isBlocked(ref))
      const successor = await obtainFirst(name, others, { load: true, signal })
      revision.condemn()
      takeOut(name, successor)
      // Tried again meanwhile, its release has another revision.
      if (pool.get(failed) === revision) pool.retire(failed)
    },
  }
}

function withoutUnfit(slot: Slot): Slot {
  const stable = mayServe(slot.stable) ? slot.stable : null
  const canary = mayServe(slot.canary) ? slot.canary : null
  return stable === slot.stable && canary === slot.canary ? slot : { ...slot, stable, canary }
}

function mayServe(side: Slot['stable' | 'canary']): boolean {
  return side !== null && !side.revision.isUnfit && !side.revision.isRetired
}

function revisionsOf(slot: Slot | undefined): readonly LazyRevision[] {
  return [slot?.stable?.revision, slot?.canary?.revision].filter(
    (revision) => revision !== undefined,
  )
}

function servingState(slot: Slot): ServingState {
  return { stable: slot.stable?.ref ?? null, canary: slot.canary, stopped: slot.stopped }
}

/** Releases that serve, and these. */
function releasesInUse({ slots }: Serving, others: ReadonlySet<Digest>): ReadonlySet<Digest> {
  const inUse = new Set(others)
  for (const { stable, canary } of slots.values()) {
    if (stable !== null) inUse.add(stable.ref.release)
    if (canary !== null) inUse.add(canary.ref.release)
  }
  return inUse
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
