import { expect, it } from 'vitest'
import { type Clock, systemClock } from '../clock.ts'
import { type Revision, toRevisionId } from '../function/revision.ts'
import type { ReleaseRef } from '../manifest/group-document.ts'
import {
  testFunctionState,
  testManifest,
  testRef,
  testRelease,
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

/** Both functions on version 1, loaded; `onStandBy` is called when a revision is told to stand by. */
async function startActivator(onStandBy: (revision: string) => void = () => {}) {
  const fetched: ReleaseRef[] = []
  const clock: Clock = systemClock
  const serving: ServingCell = { current: emptyServing }
  const pool = createRevisionPool({
    readRelease: async (name) => testRelease(name),
    fetch: async (ref, release) => async () => {
      fetched.push(ref)
      const id = toRevisionId(release.function, ref.release)
      return revision(id, { ref, release, onStandBy })
    },
    explain: async (error) => error,
    drainTimeoutMs: 1000,
    maxDownloads: 8,
    closing: never,
    onDrainTimeout: () => {},
  })
  const activator = createActivator({
    serving,
    pool,
    failures: createFailureMemory({ retryBaseMs: 1000, random: Math.random }),
    clock,
    warmPrevious: 1,
    isTripped: () => false,
    isStableTripped: () => false,
    lastGood: () => new Map(),
    onRefused: () => {},
    onSwap: () => {},
  })
  const activate = (version: number) =>
    activator.activate(desiredState(version), { eager: new Set(names), signal: never })
  await activate(1)
  return { activator, activate, serving, fetched }
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
  const { activate } = await startActivator((id) => {
    told.push(id)
    takeLong()
    setImmediate(() => told.push('another turn'))
  })
  await activate(2)
  expect(told.slice(0, 3)).toEqual([idOf('shop/a', 1), 'another turn', idOf('shop/b', 1)])
})

it('leaves one alone that serves again before its turn to stand by', async () => {
  const told: string[] = []
  const { activator, activate, serving } = await startActivator((id) => {
    told.push(id)
    takeLong()
    if (id !== idOf('shop/a', 1)) return
    queueMicrotask(() => activator.replaceStable('shop/b', refOf('shop/b', 1)))
  })
  await activate(2)
  expect(serving.current.slots.get('shop/b')?.stable?.ref).toEqual(refOf('shop/b', 1))
  expect(told).toEqual([idOf('shop/a', 1), idOf('shop/b', 2)])
})

it('loads what a rollback leads to of the functions it is told, and of no others', async () => {
  const { activator, fetched } = await startActivator()
  fetched.length = 0
  const desired = withPrevious(desiredState(1), 0)
  await activator.warm(desired, { functions: new Set(['shop/b']), signal: never })
  expect(fetched).toEqual([refOf('shop/b', 0)])
})
