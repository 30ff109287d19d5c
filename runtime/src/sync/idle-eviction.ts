import type { Clock } from '../clock.ts'
import { pause } from '../pause.ts'
import type { DiskCache } from './disk-cache.ts'
import { createIdleFunctions, type FunctionUse } from './idle-functions.ts'
import { isLoaded } from './load-ahead.ts'
import type { RevisionPool } from './revision-pool.ts'
import type { ServingCell } from './serving.ts'
import type { Slot } from './slot.ts'

/** Takes functions nobody calls out of memory, and remembers across restarts which are called. */
export interface IdleEviction {
  /** Functions called lately, those of before a restart included. */
  readonly recent: ReadonlySet<string>
  /** To be called every now and then. */
  sweep(): Promise<void>
}

export interface IdleEvictionOptions {
  readonly serving: ServingCell
  readonly pool: RevisionPool
  readonly cache: DiskCache
  readonly clock: Clock
  /** So many functions stay loaded, however idle. */
  readonly loadAhead: number
  readonly evictAfterMs: number
}

/** Shortest time between two writes of what is called lately. */
const writeEveryMs = 60_000

export function createIdleEviction(options: IdleEvictionOptions): IdleEviction {
  const { serving, pool, cache, clock } = options
  const idle = createIdleFunctions({
    idleMs: options.evictAfterMs,
    recent: cache.state.recent,
    now: clock.now(),
  })
  let writtenAt = clock.now()

  const unload = (name: string): void => {
    const slot = serving.current.slots.get(name)
    // Those that were kept for a rollback, too: it would load the first of them anyway.
    for (const revision of pool.loaded()) {
      const isCanary = revision === slot?.canary?.revision
      if (revision.release.function === name && !isCanary) pool.unload(revision)
    }
  }

  const remember = async (): Promise<void> => {
    const now = clock.now()
    const recent = [...idle.recent].toSorted()
    if (now - writtenAt < writeEveryMs || String(recent) === String(cache.state.recent)) return
    writtenAt = now
    await cache.update({ recent })
  }

  return {
    get recent() {
      return idle.recent
    },
    sweep: async () => {
      const uses: FunctionUse[] = []
      for (const slot of serving.current.slots.values()) {
        if (isLoaded(slot)) uses.push(toUse(slot))
        await pause()
      }
      const tooMany = uses.length - options.loadAhead
      const idleNames = idle.observe(uses, clock.now())
      for (const name of idleNames.slice(0, Math.max(0, tooMany))) unload(name)
      await remember()
    },
  }
}

function toUse({ function: name, stable, canary }: Slot): FunctionUse {
  const { calls = 0, inFlight = 0 } = stable?.revision ?? {}
  return { function: name, calls, isBusy: inFlight > 0 || canary !== null }
}
