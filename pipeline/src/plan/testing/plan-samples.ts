import {
  digestOf,
  type FunctionState,
  type Hold,
  type QuarantineEntry,
  type ReleaseRef,
  type Rollout,
} from '@needle-faas/runtime/manifest'
import {
  testFunctionState,
  testManifest,
  testQuarantineEntry,
  testRollout,
  testStop,
} from '../../../../runtime/src/manifest/testing/test-documents.ts'
import type { EnvironmentState } from '../../environment-state/environment-state.ts'
import { toGroups } from '../function-states.ts'
import type { Order } from '../order.ts'
import type { PublishInput } from '../plan-publish.ts'

/** Inputs for the tests of plans. `ref('a')` is one release; the same letter is the same pair. */
export function ref(letter: string, releaseOf = letter): ReleaseRef {
  return {
    release: digestOf(`release ${releaseOf}`),
    sizeBytes: 500,
    artifact: digestOf(`artifact ${letter}`),
    settings: digestOf('settings'),
  }
}

export function serving(stable: string, more: Partial<FunctionState> = {}): FunctionState {
  return testFunctionState(ref(stable), more)
}

export const now = Date.parse('2026-11-22T10:00:00Z')

export const steps = [
  { weightPercent: 20, bakeMs: 60_000 },
  { weightPercent: 100, bakeMs: 0 },
]

export function rollout(canary: string): Rollout {
  return testRollout(ref(canary), { steps, salt: 'earlier-salt' })
}

export function hold(more: Partial<Hold> = {}): Hold {
  return { ...testStop, mode: 'revision', by: 'Ann', reason: 'Black Friday', ...more }
}

export function quarantined(letter: string, functionName = 'shop/card'): QuarantineEntry {
  return { ...testQuarantineEntry(ref(letter)), function: functionName, by: 'Ann' }
}

export function environment(
  functions: Readonly<Record<string, FunctionState>>,
  quarantine: readonly QuarantineEntry[] = [],
): EnvironmentState {
  const groups = toGroups(new Map(Object.entries(functions)))
  return {
    environment: 'production',
    newest: {
      manifest: testManifest({ version: 7, commit: 'c'.repeat(40) }),
      digest: digestOf('manifest'),
      bytes: new Uint8Array(),
    },
    groups,
    quarantine,
  }
}

export function publishInput(
  state: EnvironmentState,
  wanted: Readonly<Record<string, ReleaseRef>>,
  more: Partial<PublishInput> = {},
): PublishInput {
  return {
    state,
    wanted: new Map(Object.entries(wanted)),
    commit: 'd'.repeat(40),
    lineage: 'descends',
    allowOlder: false,
    canarySteps: null,
    policies: new Map(),
    actor: 'Bob',
    reason: 'merge',
    now,
    salt: 'fresh-salt',
    ...more,
  }
}

export function order(state: EnvironmentState, functionName = 'shop/card'): Order {
  return { state, function: functionName, actor: 'Bob', reason: 'errors rise', now }
}
