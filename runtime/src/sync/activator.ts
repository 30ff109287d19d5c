import { isRuntimeError, RuntimeError } from '../errors.ts'
import { pause } from '../pause.ts'
import type { Digest } from '../manifest/digest.ts'
import type { Revision } from '../function/revision.ts'
import type { FunctionState, ReleaseRef } from '../manifest/group-document.ts'
import type { DesiredState } from './desired-state.ts'
import type { FailureMemory } from './failure-memory.ts'
import { isSought } from './is-sought.ts'
import type { LazyRevision } from './lazy-revision.ts'
import { type FunctionPlan, planActivation, type ServingState } from './plan-activation.ts'
import { collectRefusals, type Refusal } from './refusal.ts'
import type { RevisionPool } from './revision-pool.ts'
import type { Serving } from './serving.ts'
import { createServingSwaps, type ServingSwapsOptions } from './serving-swaps.ts'
import { isSameService, revisionsOf, type Slot } from './slot.ts'

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

export interface ActivatorOptions extends ServingSwapsOptions {
  readonly pool: RevisionPool
  readonly failures: FailureMemory
  readonly warmPrevious: number
  /** Whether the stable of this state failed here within its rollback window. */
  readonly isStableTripped: (functionName: string, state: FunctionState) => boolean
  /** Releases that served before a restart. */
  readonly lastGood: () => ReadonlyMap<string, ReleaseRef>
  readonly onRefused: (functionName: string, refusal: Refusal) => void
}

/** One function that is slow to arrive does not keep the others waiting longer than this. */
const partialSwapMs = 500

export function createActivator(options: ActivatorOptions): Activator {
  const { serving, pool, failures, clock } = options
  const swaps = createServingSwaps(options)
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

  const isBlocked = (ref: ReleaseRef): boolean => failures.blocked(clock.now()).has(ref.release)

  const atHand = (proven: readonly ReleaseRef[]): Slot['stable'] => {
    for (const ref of proven) {
      const revision = isBlocked(ref) ? undefined : pool.get(ref.release)
      if (revision !== undefined && !revision.isUnfit) return { ref, revision }
    }
    return null
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
      while (!(await Promise.race([done, aWhile()]))) await swaps.apply(changes)
      await done

      for (const each of plans) if (each.action === 'retire') changes.set(each.function, null)
      const conflicts = await swaps.apply(changes)

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
      swaps.takeOut(name, atHand(proven))
      pool.retire(releaseDigest)
    },
    withdrawCanary: (name) => swaps.withdrawCanary(name),
    replaceStable: (name, successor) => {
      const stable = atHand([successor])
      return stable !== null && swaps.replaceStable(name, stable)
    },
    reject: async (revision, error, { proven, signal }) => {
      const { releaseDigest: failed } = revision
      const { function: name } = revision.release
      recordFailure(name, failed, error)
      // This one may be tried again at once, but by nobody who waits for an answer.
      const others = proven.filter((ref) => ref.release !== failed && !isBlocked(ref))
      const successor = await obtainFirst(name, others, { load: true, signal })
      revision.condemn()
      swaps.takeOut(name, successor)
      // Tried again meanwhile, its release has another revision.
      if (pool.get(failed) === revision) pool.retire(failed)
    },
  }
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
