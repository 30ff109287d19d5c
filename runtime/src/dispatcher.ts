import type { Call, Outcome } from './function/call.ts'
import { toOutcome } from './function/outcome.ts'
import type { Revision } from './function/revision.ts'
import { chooseSide } from './rollout/choose-side.ts'
import type { RouteMatch } from './routing/route-table.ts'
import type { ServingCell } from './sync/serving.ts'
import type { Slot } from './sync/slot.ts'

/** What a host asks before and after it reads a request's body. */
export interface Dispatcher {
  /** The function behind method and path; `path` is path and query below the host's prefix. */
  match(method: string, path: string): RouteMatch
  /** Largest body the function takes, in bytes; null when it takes none because nothing serves. */
  maxBodyBytes(functionName: string): number | null
  /** Never rejects. */
  invoke(functionName: string, call: Call): Promise<Outcome>
  /** The answer when there is no function to invoke. */
  refuse(match: Exclude<RouteMatch, { status: 'found' }>): Outcome
}

export interface DispatcherOptions {
  readonly serving: ServingCell
  readonly isReady: () => boolean
  /** Takes what the watchdog has stopped out of service, before that is told. */
  readonly onRunawayMet: () => void
  /** Who is asking: the same key stays on its side of a rollout. */
  readonly stickyKey: (call: Call) => string
}

export function createDispatcher(options: DispatcherOptions): Dispatcher {
  const { serving, isReady, stickyKey } = options
  const choose = (canary: NonNullable<Slot['canary']>, stable: Revision, call: Call): Revision => {
    const { salt, weightPercent } = canary
    const side = chooseSide({ salt, weightPercent, key: stickyKey(call) })
    return side === 'canary' && !canary.revision.isRunaway ? canary.revision : stable
  }

  return {
    match: (method, path) => serving.current.routes.match(method, path),
    maxBodyBytes: (name) => {
      const slot = serving.current.slots.get(name)
      const stable = slot?.stable?.revision ?? null
      if (slot === undefined || slot.stopped || stable === null) return null
      const { maxBodyBytes } = stable.release.settings
      return Math.max(maxBodyBytes, slot.canary?.revision.release.settings.maxBodyBytes ?? 0)
    },
    invoke: (name, call) => {
      // Looked up again: since the match the table may have been swapped and the revision retired.
      let slot = serving.current.slots.get(name)
      let stable = slot?.stable?.revision ?? null
      if (stable?.isRunaway === true) {
        options.onRunawayMet()
        slot = serving.current.slots.get(name)
        stable = slot?.stable?.revision ?? null
      }
      if (slot === undefined) return Promise.resolve(routeNotFound)
      if (slot.stopped) return Promise.resolve(stopped(name, stable))
      if (stable === null) return Promise.resolve(quarantined(name))
      const { canary } = slot
      return (canary === null ? stable : choose(canary, stable, call)).invoke(call)
    },
    refuse: (match) => {
      if (!isReady()) return notReady
      if (match.status === 'notFound') return routeNotFound
      return toOutcome(
        {
          status: 405,
          code: 'METHOD_NOT_ALLOWED',
          message: `Use ${match.allow.join(' or ')} here`,
        },
        { ...jsonHeaders, allow: match.allow.join(', ') },
      )
    },
  }
}

const jsonHeaders = Object.freeze({ 'content-type': 'application/json; charset=utf-8' })

const routeNotFound = toOutcome(
  { status: 404, code: 'ROUTE_NOT_FOUND', message: 'No function is served at this address' },
  jsonHeaders,
)

const notReady = toOutcome(
  {
    status: 503,
    code: 'NOT_READY',
    message: 'This instance has not yet received what it should serve; try again',
  },
  { ...jsonHeaders, 'retry-after': '5' },
)

function quarantined(name: string): Outcome {
  return toOutcome(
    {
      status: 503,
      code: 'FUNCTION_QUARANTINED',
      message: `Every release of ${name} that could serve here is quarantined; it serves again with another`,
    },
    jsonHeaders,
  )
}

function stopped(name: string, stable: Revision | null): Outcome {
  return toOutcome(
    {
      status: 503,
      code: 'FUNCTION_STOPPED',
      message: `${name} is stopped; it serves again when its operators resume it`,
    },
    stable === null ? jsonHeaders : { ...jsonHeaders, 'x-needle-revision': stable.id },
  )
}
