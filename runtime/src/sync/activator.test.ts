import { describe, expect, it } from 'vitest'
import { createManualClock } from '../../test/support/manual-clock.ts'
import { type Clock, systemClock } from '../clock.ts'
import { isRuntimeError, RuntimeError } from '../errors.ts'
import { type Revision, toRevisionId } from '../function/revision.ts'
import type { ReleaseRef } from '../manifest/group-document.ts'
import {
  testFunctionState,
  testManifest,
  testRef,
  testRelease,
  testRollout,
} from '../manifest/testing/test-documents.ts'
import { createActivator } from './activator.ts'
import type { DesiredState } from './desired-state.ts'
import { createFailureMemory } from './failure-memory.ts'
import { createRevisionPool } from './revision-pool.ts'
import { emptyServing, type ServingCell } from './serving.ts'

const names = ['shop/a', 'shop/b']
const never = new AbortController().signal

const refOf = (name: string, version: number): ReleaseRef => testRef(`${name} ${version}`)

function desiredState(version: number): DesiredState {
  const ref = testRef(`manifest ${version}`)
  return {
    manifest: testManifest({ version }),
    digest: ref.release,
    bytes: new Uint8Array(),
    functions: new Map(names.map((name) => [name, testFunctionState(refOf(name, version))])),
    missingGroups: [],
    quarantine: [],
  }
}

interface TestOptions {
  /** Told when a revision is to stand by. */
  readonly onStandBy?: (revision: string) => void
  /** The code of no function can be had. */
  readonly isAway?: () => boolean
  /** Resolves when the release of this function can be had. */
  readonly released?: (functionName: string) => Promise<void>
  /** When what failed to load for the first time may be tried again. Default: at once. */
  readonly retryAfterMs?: number
  readonly clock?: Clock
}

/** Both functions on version 1, loaded. */
async function startActivator({
  onStandBy = () => {},
  isAway = () => false,
  released = async () => {},
  retryAfterMs = 0,
  clock = systemClock,
}: TestOptions = {}) {
  const fetched: ReleaseRef[] = []
  const serving: ServingCell = { current: emptyServing }
  const pool = createRevisionPool({
    readRelease: async (name) => {
      await released(name)
      return testRelease(name)
    },
    fetch: async (ref, release) => {
      if (isAway()) throw new RuntimeError('STORE_UNAVAILABLE', 'away')
      return async () => {
        fetched.push(ref)
        const id = toRevisionId(release.function, ref.release)
        return revision(id, { ref, release, onStandBy })
      }
    },
    explain: async (error) => error,
    drainTimeoutMs: 1000,
    maxDownloads: 8,
    closing: never,
    onDrainTimeout: () => {},
  })
  const failures = createFailureMemory({ retryBaseMs: retryAfterMs, random: () => 0.5 })
  const activator = createActivator({
    serving,
    pool,
    failures,
    clock,
    warmPrevious: 1,
    isTripped: () => false,
    isStableTripped: () => false,
    lastGood: () => new Map(),
    onRefused: () => {},
    onSwap: () => {},
  })
  const activate = (desired: DesiredState, eager = names) =>
    activator.activate(desired, { eager: new Set(eager), signal: never })
  await activate(desiredState(1))
  const slot = (name: string) => serving.current.slots.get(name)
  /** As a call does that comes to it. */
  const meet = async (name: string, side: 'stable' | 'canary', proven: readonly ReleaseRef[]) => {
    const revision = slot(name)?.[side]?.revision
    await revision?.load().catch(async (error: unknown) => {
      if (isRuntimeError(error, 'RUNTIME_CLOSED')) return
      await activator.reject(revision, error, { proven, signal: never })
    })
  }
  return { activator, activate, meet, slot, pool, failures, fetched }
}

function revision(
  id: string,
  {
    ref,
    release,
    onStandBy,
  }: {
    readonly ref: ReleaseRef
    readonly release: Revision['release']
    readonly onStandBy: (revision: string) => void
  },
): Revision {
  return {
    id,
    releaseDigest: ref.release,
    release,
    inFlight: 0,
    isRunaway: false,
    isOnProbation: false,
    invoke: () => Promise.reject(new Error('Nobody calls it')),
    drained: async () => 'drained',
    standBy: () => {
      onStandBy(id)
      return null
    },
    resume: () => {},
    stopRunaway: () => {},
    compiled: () => null,
    dispose: () => {},
  }
}

/** Longer than a slice of the runtime's work. */
function takeLong(): void {
  const end = performance.now() + 10
  while (performance.now() < end);
}

/** The version before this one is what a rollback leads to. */
function withPrevious(desired: DesiredState, version: number): DesiredState {
  const functions = [...desired.functions].map(([name, { stable }]) => {
    const previous = [refOf(name, version)]
    return [name, testFunctionState(stable, { previous })] as const
  })
  return { ...desired, functions: new Map(functions) }
}

const idOf = (name: string, version: number): string =>
  toRevisionId(name, refOf(name, version).release)

it('has those stand by in turns that a change replaces', async () => {
  const told: string[] = []
  const onStandBy = (id: string): void => {
    told.push(id)
    takeLong()
    setImmediate(() => told.push('another turn'))
  }
  const { activate } = await startActivator({ onStandBy })
  await activate(desiredState(2))
  expect(told.slice(0, 3)).toEqual([idOf('shop/a', 1), 'another turn', idOf('shop/b', 1)])
})

it('leaves one alone that serves again before its turn to stand by', async () => {
  const told: string[] = []
  const onStandBy = (id: string): void => {
    told.push(id)
    takeLong()
    if (id !== idOf('shop/a', 1)) return
    queueMicrotask(() => activator.replaceStable('shop/b', refOf('shop/b', 1)))
  }
  const { activator, activate, slot } = await startActivator({ onStandBy })
  await activate(desiredState(2))
  expect(slot('shop/b')?.stable?.ref).toEqual(refOf('shop/b', 1))
  expect(told).toEqual([idOf('shop/a', 1), idOf('shop/b', 2)])
})

it('loads what a rollback leads to of the functions it is told, and of no others', async () => {
  const { activator, fetched } = await startActivator()
  fetched.length = 0
  const desired = withPrevious(desiredState(1), 0)
  await activator.warm(desired, { functions: new Set(['shop/b']), signal: never })
  expect(fetched).toEqual([refOf('shop/b', 0)])
})

describe('a release that does not load when it is called, as the store is away', () => {
  const a = [refOf('shop/a', 1), refOf('shop/a', 2)] as const

  it('serves when the store is back, however soon it may be tried again', async () => {
    let isAway = false
    const { activate, meet, slot, failures } = await startActivator({ isAway: () => isAway })
    const desired = desiredState(2)
    await activate(desired, [])
    isAway = true
    await meet('shop/a', 'stable', [a[1]])
    expect(slot('shop/a')?.stable).toBeNull()
    expect(failures.get(a[1].release)?.attempts).toBe(1)
    isAway = false
    await activate(desired, [])
    expect(slot('shop/a')?.stable?.revision.isReady).toBe(true)
  })

  it('does so although the canary beside it did not load either', async () => {
    let isAway = false
    const { activate, meet, slot, pool } = await startActivator({ isAway: () => isAway })
    const rollout = testRollout(a[1])
    const functions = new Map([['shop/a', testFunctionState(a[0], { rollout })]])
    const desired = { ...desiredState(2), functions }
    await activate(desired)
    for (const revision of pool.loaded()) pool.unload(revision)
    isAway = true
    await meet('shop/a', 'canary', [a[0]])
    expect(slot('shop/a')).toMatchObject({ canary: null, stable: { ref: a[0] } })
    await meet('shop/a', 'stable', [a[0]])
    expect(slot('shop/a')?.stable).toBeNull()
    isAway = false
    await activate(desired)
    expect(slot('shop/a')?.stable?.revision.isReady).toBe(true)
    expect(slot('shop/a')?.canary?.revision.isReady).toBe(true)
  })

  it('does so although an activation was about to have it serve', async () => {
    let isAway = false
    const b = Promise.withResolvers<void>()
    const { activate, meet, slot, pool } = await startActivator({
      isAway: () => isAway,
      released: (name) => (isAway && name === 'shop/b' ? b.promise : Promise.resolve()),
    })
    for (const revision of pool.loaded()) pool.unload(revision)
    isAway = true
    const activated = activate(desiredState(2), [])
    await expect.poll(() => pool.get(a[1].release)).toBeDefined()
    await meet('shop/a', 'stable', [a[1]])
    isAway = false
    b.resolve()
    await activated
    await activate(desiredState(2), [])
    expect(slot('shop/a')?.stable).toMatchObject({ ref: a[1], revision: { isReady: true } })
  })
  it('goes on serving when it was tried again before it was replaced', async () => {
    let isAway = false
    let released = Promise.resolve()
    const clock = createManualClock(Date.now())
    const { activate, meet, slot } = await startActivator({
      isAway: () => isAway,
      released: () => released,
      retryAfterMs: 1000,
      clock,
    })
    const desired = desiredState(2)
    await activate(desired, [])
    const before = Promise.withResolvers<void>()
    isAway = true
    released = before.promise
    const met = meet('shop/a', 'stable', [a[1], a[0]])
    await new Promise((resolve) => setImmediate(resolve))
    isAway = false
    released = Promise.resolve()
    await activate(desired, [])
    expect(slot('shop/a')?.stable).toBeNull()
    clock.advance(1000)
    await activate(desired, [])
    expect(slot('shop/a')?.stable?.revision.isReady).toBe(true)
    before.resolve()
    await met
    expect(slot('shop/a')?.stable).toMatchObject({ ref: a[1], revision: { isReady: true } })
  })
})
