import type { Clock } from '../clock.ts'
import { objectKey } from '../manifest/object-key.ts'
import type { ReleaseRef } from '../manifest/group-document.ts'
import { pause } from '../pause.ts'
import { type DesiredState, digestsOf } from './desired-state.ts'
import type { DiskCache } from './disk-cache.ts'
import { maxBackoffMs } from './poll-delay.ts'
import type { Serving } from './serving.ts'

/**
 * Activations on the record: a mark lies on disk while one runs, for a process that does not survive
 * it, and what it led to lies there afterwards, for a start without the store.
 */
export interface LastingActivation {
  /** Rejects only as `activate` does. */
  run(desired: DesiredState, signal: AbortSignal): Promise<void>
  /** To be called at a start that serves `booted`: an activation that ended a process is tried later. */
  resume(booted: DesiredState): void
  /** Whether this is the activation that never ended, and its time has not come; else null. */
  heldBack(desired: DesiredState): HoldBack | null
}

/** An activation that ended the process. */
export interface HoldBack {
  /** How often it did, in a row. */
  readonly attempts: number
  /** When it is tried again, in epoch milliseconds. */
  readonly until: number
}

export interface LastingActivationOptions {
  readonly cache: DiskCache
  readonly clock: Clock
  /** Subscribed here. */
  readonly groups: readonly string[]
  readonly retryBaseMs: number
  readonly activate: (desired: DesiredState, signal: AbortSignal) => Promise<void>
  readonly serving: () => Serving
}

/** Longest time an activation that ended the process is held back. */
const maxHoldBackMs = 10 * maxBackoffMs

export function createLastingActivation(options: LastingActivationOptions): LastingActivation {
  const { cache, clock, activate } = options
  let holdBackUntil = 0

  return {
    run: async (desired, signal) => {
      const { digest } = desired
      const { unfinished, lastGood } = cache.state
      const attempts = unfinished?.digest === digest ? unfinished.attempts + 1 : 1
      await cache.mark({ unfinished: { digest, attempts } })
      try {
        await activate(desired, signal)
      } catch (error) {
        // Closing in the middle is no crash.
        await cache.mark({ unfinished: null })
        throw error
      }
      const good: Record<string, ReleaseRef> = {}
      const needed = documentKeysOf(desired, options.groups)
      for (const { function: name, stable } of options.serving().slots.values()) {
        const ref = stable?.revision.isLoaded === true ? stable.ref : lastGood[name]
        if (ref !== undefined) good[name] = ref
        if (stable !== null) needed.push(...releaseKeysOf(stable.ref))
        await pause()
      }
      const keep = await digestsOf(desired, Object.values(good))
      await pause()
      await cache.commit({ manifestBytes: desired.bytes, needed, keep })
      await cache.update({ unfinished: null, lastGood: good })
    },
    resume: (booted) => {
      const { unfinished } = cache.state
      if (unfinished === null || unfinished.digest === booted.digest) return
      const delayMs = options.retryBaseMs * 2 ** Math.min(unfinished.attempts - 1, 20)
      holdBackUntil = clock.now() + Math.min(delayMs, maxHoldBackMs)
    },
    heldBack: ({ digest }) => {
      const { unfinished } = cache.state
      if (digest !== unfinished?.digest || clock.now() >= holdBackUntil) return null
      return { attempts: unfinished.attempts, until: holdBackUntil }
    },
  }
}

function documentKeysOf({ manifest }: DesiredState, groups: readonly string[]): string[] {
  const { environment, quarantine } = manifest
  const subscribed = groups.flatMap((name) => manifest.groups[name]?.digest ?? [])
  return [
    ...subscribed.map((digest) => objectKey.group(environment, digest)),
    ...(quarantine === null ? [] : [objectKey.quarantine(environment, quarantine.digest)]),
  ]
}

function releaseKeysOf({ release, artifact }: ReleaseRef): string[] {
  return [objectKey.release(release), objectKey.artifact(artifact)]
}
