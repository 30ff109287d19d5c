import type { Clock } from '../clock.ts'
import type { Digest } from '../manifest/digest.ts'
import type { Release } from '../manifest/release.ts'
import { pause } from '../pause.ts'
import type { Activator } from './activator.ts'
import { createBackgroundTask } from './background-task.ts'
import type { DesiredState } from './desired-state.ts'
import type { DiskCache } from './disk-cache.ts'
import { createIdleEviction } from './idle-eviction.ts'
import type { LazyRevision } from './lazy-revision.ts'
import { chooseLoadAhead, isLoaded } from './load-ahead.ts'
import type { RevisionSupply } from './revision-supply.ts'
import type { Serving, ServingCell } from './serving.ts'

/** What makes the next call, the next rollback, the next failure and the next start cheaper. */
export interface Upkeep {
  /** Functions whose release is to be loaded at its activation. */
  eagerOf(desired: DesiredState): ReadonlySet<string>
  /** Begins it anew, in the background, for what has just been activated. */
  restart(desired: DesiredState): void
  /** Ends what runs in the background: an activation goes before it. */
  stop(): Promise<void>
  /** To be called every now and then. */
  sweep(): Promise<void>
}

export interface UpkeepOptions {
  readonly serving: ServingCell
  readonly activator: Activator
  readonly supply: RevisionSupply
  /** Open. */
  readonly cache: DiskCache
  readonly clock: Clock
  readonly random: () => number
  readonly loadAhead: number
  readonly evictAfterMs: number
  readonly onLoadFailed: (revision: LazyRevision, error: unknown) => Promise<void>
}

/**
 * Only a first stack trace needs a source map, and it fetches its own. So a fleet that took the same
 * change asks for them over this time, while nothing else is in a hurry.
 */
const sourceMapsWithinMs = 10_000

export function createUpkeep(options: UpkeepOptions): Upkeep {
  const { serving, activator, supply, cache, clock, random, loadAhead, onLoadFailed } = options
  const eviction = createIdleEviction({ ...options, pool: supply.pool })
  const background = createBackgroundTask()

  const eagerOf = (desired: DesiredState): ReadonlySet<string> =>
    chooseLoadAhead({
      functions: desired.functions.keys(),
      slots: serving.current.slots,
      recent: eviction.recent,
      limit: loadAhead,
    })

  const loadEager = async (desired: DesiredState, ending: AbortSignal): Promise<void> => {
    for (const name of eagerOf(desired)) {
      await pause()
      const slot = serving.current.slots.get(name)
      const revision = slot?.stopped === true ? undefined : slot?.stable?.revision
      if (ending.aborted) return
      await revision?.load().catch((error: unknown) => onLoadFailed(revision, error))
    }
  }

  return {
    eagerOf,
    restart: (desired) =>
      background.restart(async (ending) => {
        await pause()
        await loadEager(desired, ending)
        await pause()
        const functions = loadedFunctions(serving.current)
        await activator.warm(desired, { functions, signal: ending })
        await pause()
        await cache.packReleases(bootReleases(serving.current), ending)
        await clock.sleep(random() * sourceMapsWithinMs, ending)
        await supply.keepSourceMaps(servingReleases(serving.current), ending)
      }),
    stop: () => background.stop(),
    sweep: async () => {
      await eviction.sweep()
      await pause()
      await supply.keepCompiled()
    },
  }
}

function loadedFunctions({ slots }: Serving): ReadonlySet<string> {
  return new Set([...slots.values()].filter(isLoaded).map((slot) => slot.function))
}

/** What a start registers, if nothing has changed until then. */
function bootReleases({ slots }: Serving): Digest[] {
  return [...slots.values()].flatMap(({ stable, canary }) =>
    [stable, canary].flatMap((side) => side?.ref.release ?? []),
  )
}

function servingReleases({ slots }: Serving): Release[] {
  const releases: Release[] = []
  for (const { stable, canary } of slots.values()) {
    if (stable !== null) releases.push(stable.revision.release)
    if (canary !== null) releases.push(canary.revision.release)
  }
  return releases
}
