import {
  digestOf,
  type FunctionState,
  type QuarantineEntry,
  type ReleaseRef,
} from '@needle-faas/runtime/manifest'
import type { EnvironmentState } from '../environment-state/environment-state.ts'
import { toGroups } from './function-states.ts'
import type { Order } from './order.ts'
import type { PublishInput } from './plan-publish.ts'

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
  return { stable: ref(stable), previous: [], rollout: null, hold: null, ...more }
}

export const now = Date.parse('2026-11-22T10:00:00Z')

export const steps = [
  { weightPercent: 20, bakeMs: 60_000 },
  { weightPercent: 100, bakeMs: 0 },
]

export function rollout(canary: string): NonNullable<FunctionState['rollout']> {
  return {
    canary: ref(canary),
    steps,
    step: 0,
    weightPercent: 20,
    salt: 'earlier-salt',
    since: '2026-11-22T09:00:00.000Z',
  }
}

export function hold(
  more: Partial<NonNullable<FunctionState['hold']>> = {},
): NonNullable<FunctionState['hold']> {
  return {
    mode: 'revision',
    by: 'Ann',
    reason: 'Black Friday',
    since: '2026-11-22T09:00:00.000Z',
    until: null,
    ...more,
  }
}

export function quarantined(letter: string, functionName = 'shop/card'): QuarantineEntry {
  const { artifact, settings } = ref(letter)
  return {
    function: functionName,
    artifact,
    settings,
    by: 'Ann',
    reason: 'errors',
    since: '2026-11-22T09:00:00.000Z',
  }
}

export function environment(
  functions: Readonly<Record<string, FunctionState>>,
  quarantine: readonly QuarantineEntry[] = [],
): EnvironmentState {
  const groups = toGroups(new Map(Object.entries(functions)))
  return {
    environment: 'production',
    newest: {
      manifest: {
        kind: 'manifest',
        specVersion: 1,
        environment: 'production',
        epoch: 1,
        version: 7,
        rootVersion: 1,
        publishId: 'publish-id',
        issuedAt: '2026-11-22T09:00:00.000Z',
        expiresAt: '2026-12-22T09:00:00.000Z',
        commit: 'c'.repeat(40),
        actor: 'Ann',
        reason: 'earlier',
        previous: null,
        quarantine: null,
        requires: [],
        groups: {},
      },
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
