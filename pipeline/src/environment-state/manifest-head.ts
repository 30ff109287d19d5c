import type { HistoryState } from './history-states.ts'

/** Who signed a manifest of the history, when and why; null is what can no longer be read. */
export interface ManifestHead {
  readonly version: number
  readonly issuedAt: string | null
  readonly actor: string | null
  readonly reason: string | null
  readonly commit: string | null
  /** Why the entry is no longer accepted; null when it is. */
  readonly fault: string | null
}

export function headOf({ version, manifest, fault }: HistoryState): ManifestHead {
  const signed = manifest?.manifest
  return {
    version,
    issuedAt: signed?.issuedAt ?? null,
    actor: signed?.actor ?? null,
    reason: signed?.reason ?? null,
    commit: signed?.commit ?? null,
    fault,
  }
}
