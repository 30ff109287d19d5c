import { digestOf } from '../digest.ts'
import type { FunctionState, GroupDocument, Hold, ReleaseRef, Rollout } from '../group-document.ts'
import type { Manifest } from '../manifest.ts'
import type { QuarantineEntry } from '../quarantine.ts'
import type { Release } from '../release.ts'
import { type Settings, settingsDefaults } from '../settings.ts'
import { settingsDigestOf } from '../settings-digest.ts'

/** A valid manifest of `production`, version 1, that expires in 2126. */
export function testManifest(overrides: Partial<Manifest> = {}): Manifest {
  return {
    kind: 'manifest',
    specVersion: 1,
    environment: 'production',
    epoch: 1,
    version: 1,
    rootVersion: 1,
    publishId: 'test-publish',
    issuedAt: '2026-01-01T00:00:00Z',
    expiresAt: '2126-01-01T00:00:00Z',
    commit: 'a'.repeat(40),
    actor: 'test',
    reason: 'test',
    previous: null,
    quarantine: null,
    requires: [],
    groups: {},
    ...overrides,
  }
}

/** Settings a function without configuration gets. */
export function testSettings(
  functionName = 'shop/card',
  overrides: Partial<Settings> = {},
): Settings {
  return {
    http: { method: 'POST', path: `/${functionName}` },
    uses: [],
    idempotent: false,
    ...settingsDefaults,
    ...overrides,
  }
}

/** A valid production release of `source` as the artifact of `functionName`. */
export function testRelease(
  functionName = 'shop/card',
  source: string | Uint8Array = 'module.exports = () => 1',
  overrides: Partial<Release> = {},
): Release {
  const settings = overrides.settings ?? testSettings(functionName)
  return {
    kind: 'release',
    specVersion: 1,
    scope: 'production',
    function: functionName,
    artifact: { digest: digestOf(source), sizeBytes: Buffer.byteLength(source) },
    sourceMap: null,
    settings,
    settingsDigest: settingsDigestOf(settings),
    contract: { input: null, output: null, unexpressed: [] },
    inputs: digestOf(`inputs of ${functionName}`),
    provenance: {
      repository: null,
      commit: 'a'.repeat(40),
      committedAt: '2026-01-01T00:00:00Z',
      author: 'Ada <ada@example.com>',
      pullRequest: null,
      build: null,
    },
    builtAt: '2026-01-01T00:00:00Z',
    ...overrides,
  }
}

/** What a group document says about a release with these signed bytes. */
export function testReleaseRef(signedRelease: Uint8Array, release: Release): ReleaseRef {
  return {
    release: digestOf(signedRelease),
    sizeBytes: signedRelease.byteLength,
    artifact: release.artifact.digest,
    settings: release.settingsDigest,
  }
}

/** Names a release that there is not; another `label`, another release. */
export function testRef(label: string): ReleaseRef {
  return {
    release: digestOf(`release ${label}`),
    sizeBytes: 100,
    artifact: digestOf(`artifact ${label}`),
    settings: digestOf('settings'),
  }
}

/** A pair of `shop/card` that somebody found bad. */
export function testQuarantineEntry({ artifact, settings }: ReleaseRef): QuarantineEntry {
  return {
    function: 'shop/card',
    artifact,
    settings,
    by: 'ann',
    reason: 'errors',
    since: '2026-01-01T00:00:00Z',
  }
}

/** What a group document says of a function that serves this release to everybody. */
export function testFunctionState(
  stable: ReleaseRef,
  overrides: Partial<FunctionState> = {},
): FunctionState {
  return { stable, previous: [], rollout: null, hold: null, ...overrides }
}

/** A rollout in its only step. Default 20 %. */
export function testRollout(canary: ReleaseRef, overrides: Partial<Rollout> = {}): Rollout {
  const { weightPercent = 20 } = overrides
  return {
    canary,
    steps: [{ weightPercent, bakeMs: 0 }],
    step: 0,
    weightPercent,
    salt: 'salt-salt',
    since: '2026-01-01T00:00:00Z',
    ...overrides,
  }
}

/** A function that somebody stopped. */
export const testStop: Hold = {
  mode: 'stopped',
  by: 'ann',
  reason: 'fire',
  since: '2026-01-01T00:00:00Z',
  until: null,
}

/** A group whose functions all serve a stable release, or as `state` says. */
export function testGroup(
  group: string,
  functions: Readonly<Record<string, ReleaseRef | FunctionState>>,
): GroupDocument {
  return {
    specVersion: 1,
    group,
    functions: Object.fromEntries(
      Object.entries(functions).map(([name, entry]) => [
        name,
        'stable' in entry ? entry : testFunctionState(entry),
      ]),
    ),
  }
}
