import { changesOf } from '../plan/explain-change.ts'
import type { Facts } from './facts.ts'
import type { ManifestTrace } from './trace.ts'
import { toTraced } from './traced-manifest.ts'
import { unknownOf } from './unknown-of.ts'

export function traceManifest(version: number, facts: Facts): ManifestTrace {
  const { question, history, fleet } = facts
  const index = history.findIndex((entry) => entry.version === version)
  const current = history[index]
  if (current === undefined) throw new TypeError(`manifest ${version} is not in the history`)
  const manifest = toTraced(current, changesOf(current, history[index + 1]))
  return {
    kind: 'manifest',
    environment: question.access.environment,
    isNewest: index === 0,
    manifest,
    expiresAt: current.manifest?.manifest.expiresAt ?? null,
    instances: fleet.filter((instance) => instance.version === version),
    unknown: unknownOf([], [manifest], { ...facts, history: [] }),
  }
}
