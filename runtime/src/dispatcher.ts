import { invokeDivided } from './canary-calls.ts'
import type { Clock } from './clock.ts'
import {
  bodyTooLarge,
  closed,
  loading,
  methodNotAllowed,
  notReady,
  quarantined,
  routeNotFound,
  overloaded,
  stopped,
} from './dispatch-answers.ts'
import { isRuntimeError } from './errors.ts'
import { handOverRefusal } from './function/answer-turn.ts'
import type { Call, Outcome } from './function/call.ts'
import { LimitedCall, timeOf } from './function/limited-call.ts'
import { chooseSide, type Side } from './rollout/choose-side.ts'
import type { Rollouts } from './sync/rollouts.ts'
import { invokeGuarded } from './stable-calls.ts'
import type { StickyKey } from './sticky-key.ts'
import type { RouteMatch } from './routing/route-table.ts'
import type { LazyRevision } from './sync/lazy-revision.ts'
import type { ServingCell } from './sync/serving.ts'
import { isDivided, type Slot } from './sync/slot.ts'
import type { StableGuards } from './sync/stable-guards.ts'

/** What a host asks before and after it reads a request's body. */
export interface Dispatcher {
  /** The function behind method and path; `path` is path and query below the host's prefix. */
  match(method: string, path: string): RouteMatch
  /** Largest body the function takes, in bytes; null when it takes none because nothing serves. */
  maxBodyBytes(functionName: string): number | null
  /** Never rejects. */
  invoke(functionName: string, call: Call): Promise<Outcome>
  /** The answer to a body larger than `maxBodyBytes`. */
  refuseBody(functionName: string, maxBytes: number): Outcome
  /** The answer when there is no function to invoke. */
  refuse(match: Exclude<RouteMatch, { status: 'found' }>): Outcome
}

export interface DispatcherOptions {
  readonly serving: ServingCell
  readonly isReady: () => boolean
  readonly clock: Clock
  /** Functions to be turned away. */
  readonly shed: () => ReadonlySet<string>
  /** Told of every answer that is given for a function without any of its revisions. */
  readonly onTurnedAway: (functionName: string, code: string) => void
  /** A call waited for this revision to be loaded, and it was. */
  readonly onColdStart: (revision: LazyRevision) => void
  /** Takes what the watchdog has stopped out of service, before that is told. */
  readonly onRunawayMet: () => void
  /** Resolves when another revision serves in the place of one that did not load, if one does. */
  readonly onLoadFailed: (revision: LazyRevision, error: unknown) => Promise<void>
  /** Told how calls of a function with a canary went. */
  readonly rollouts: Rollouts
  /** Which functions are within their rollback window. */
  readonly stableGuards: Pick<StableGuards, 'guarded'>
  readonly stickyKey: StickyKey
}

export function createDispatcher(options: DispatcherOptions): Dispatcher {
  const { serving, isReady, stickyKey, clock } = options
  /** Calls that wait for a revision to be loaded. */
  const waiting = new Map<LazyRevision, number>()

  const sideOf = ({ canary, stable }: Slot, call: Call): Side => {
    if (stable === null || canary === null || canary.revision.isUnfit) return 'stable'
    const { salt, weightPercent } = canary
    return chooseSide({ salt, weightPercent, key: stickyKey(call, canary.stickyKey) })
  }
  const pick = (slot: Slot, call: Call): LazyRevision | null =>
    slot[sideOf(slot, call)]?.revision ?? null

  const turnAway = (name: string, answer: Outcome): Outcome => {
    if (answer.errorCode !== null) options.onTurnedAway(name, answer.errorCode)
    return answer
  }

  const invoke = (name: string, call: Call): Promise<Outcome> => {
    // Looked up again: since the match the table may have been swapped and the revision retired.
    const slot = serving.current.slots.get(name)
    if (slot === undefined) return refused(routeNotFound)
    if (slot.stopped) {
      return refused(turnAway(name, stopped(name, slot.stable?.revision.id ?? null)))
    }
    const side = sideOf(slot, call)
    const revision = slot[side]?.revision
    if (revision === undefined) return refused(turnAway(name, quarantined(name)))
    const shed = options.shed()
    if (shed.size > 0 && shed.has(name)) return refused(turnAway(name, overloaded(name)))
    if (!revision.isReady) return invokeOther(name, revision, call)
    if (isDivided(slot)) return invokeDivided(slot, side, call, options.rollouts)
    const { guarded } = options.stableGuards
    const guard = guarded.size === 0 ? undefined : guarded.get(name)
    return guard === undefined ? revision.invoke(call) : invokeGuarded(revision, guard, call)
  }

  const invokeOther = (name: string, revision: LazyRevision, call: Call): Promise<Outcome> => {
    if (!revision.isUnfit) return invokeCold(name, revision, call)
    options.onRunawayMet()
    return invokeSuccessor(name, revision, { call, otherwise: quarantined(name) })
  }

  const invokeSuccessor = (
    name: string,
    revision: LazyRevision,
    { call, otherwise }: { readonly call: Call; readonly otherwise: Outcome },
  ): Promise<Outcome> => {
    const slot = serving.current.slots.get(name)
    const isStill = slot !== undefined && pick(slot, call) === revision
    return isStill ? refused(turnAway(name, otherwise)) : invoke(name, call)
  }

  /** Waits for the revision no longer than for an answer, with as many others as it may have calls. */
  const invokeCold = async (name: string, revision: LazyRevision, call: Call): Promise<Outcome> => {
    const { settings } = revision.release
    const { maxConcurrency, maxQueue = 0 } = settings
    const timeoutMs = timeOf(call, settings)
    const startedAt = performance.now()
    // Loading and answering share the time of one call.
    const rest = (isCold: boolean): Call => {
      const leftMs = timeoutMs - (performance.now() - startedAt)
      return new LimitedCall(call, Math.max(1, Math.floor(leftMs)), isCold)
    }
    const ahead = waiting.get(revision) ?? 0
    if (ahead >= maxConcurrency + maxQueue) return turnAway(name, loading(name))
    waiting.set(revision, ahead + 1)
    const ended = new AbortController()
    try {
      const loaded = revision.load().then(() => true)
      const overdue = clock.sleep(timeoutMs, ended.signal).then(() => false)
      if (!(await Promise.race([loaded, overdue]))) return turnAway(name, loading(name))
    } catch (error) {
      // Not its fault: it was replaced, or the runtime is closed.
      const isRetired = isRuntimeError(error, 'RUNTIME_CLOSED')
      if (!isRetired) await options.onLoadFailed(revision, error)
      const otherwise = isRetired ? closed : quarantined(name)
      return await invokeSuccessor(name, revision, { call: rest(call.isCold === true), otherwise })
    } finally {
      ended.abort()
      const left = (waiting.get(revision) ?? 1) - 1
      if (left === 0) waiting.delete(revision)
      else waiting.set(revision, left)
    }
    options.onColdStart(revision)
    return invoke(name, rest(true))
  }

  return {
    match: (method, path) => serving.current.routes.match(method, path),
    maxBodyBytes: (name) => {
      const slot = serving.current.slots.get(name)
      if (slot === undefined || slot.stopped || slot.stable === null) return null
      const { maxBodyBytes } = slot.stable.revision.release.settings
      return Math.max(maxBodyBytes, slot.canary?.revision.release.settings.maxBodyBytes ?? 0)
    },
    invoke,
    refuseBody: (name, maxBytes) => turnAway(name, bodyTooLarge(maxBytes)),
    refuse: (match) => {
      if (!isReady()) return notReady
      return match.status === 'notFound' ? routeNotFound : methodNotAllowed(match.allow)
    },
  }
}

function refused(outcome: Outcome): Promise<Outcome> {
  return new Promise((resolve) => handOverRefusal(resolve, outcome))
}
