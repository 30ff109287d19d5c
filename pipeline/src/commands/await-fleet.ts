import type { Manifest } from '@needle-faas/runtime/manifest'
import type { FleetInstance } from '../environment-state/fleet.ts'

/** How often the reports are read while a fleet converges. */
const readEveryMs = 500

export interface FleetWait {
  /** The manifest that instances should run. */
  readonly manifest: Manifest
  /** What the order was about: an instance that refuses it has not followed. */
  readonly function: string
  readonly instances: readonly FleetInstance[]
  /** Every instance of the fleet runs the manifest and refuses nothing of the function. */
  readonly converged: boolean
  readonly waitedMs: number
}

export interface FleetQuestion {
  readonly manifest: Manifest
  readonly function: string
  /** The instances as they are now. */
  readonly read: () => Promise<readonly FleetInstance[]>
  /** How long to wait for laggards, in milliseconds; 0 reads once. */
  readonly waitMs: number
  readonly onProgress: (instances: readonly FleetInstance[]) => void
  /** Epoch milliseconds. */
  readonly now: () => number
  readonly pause: (delayMs: number) => Promise<void>
}

/**
 * Reads the fleet until every instance that reports has followed, or the time is over. Silent
 * instances are not waited for, but they keep it from having converged.
 */
export async function awaitFleet(question: FleetQuestion): Promise<FleetWait> {
  const { manifest, function: functionName, waitMs, now } = question
  const startedAt = now()
  for (;;) {
    const instances = await question.read()
    question.onProgress(instances)
    const waitedMs = now() - startedAt
    const isWaiting = instances.some(
      (instance) => instance.state !== 'silent' && !hasFollowed(instance, functionName),
    )
    if (!isWaiting || waitedMs >= waitMs) {
      const converged = instances.every((instance) => hasFollowed(instance, functionName))
      return { manifest, function: functionName, instances, converged, waitedMs }
    }
    await question.pause(Math.min(readEveryMs, waitMs - waitedMs))
  }
}

/** Whether an instance serves what was ordered, as far as it says. */
export function hasFollowed(instance: FleetInstance, functionName: string): boolean {
  return (
    instance.state === 'current' &&
    !instance.refusals.some(
      // A canary that was cut off is served by stable, as any order would have it.
      ({ function: name, code }) => name === functionName && code !== 'CANARY_TRIPPED',
    )
  )
}
