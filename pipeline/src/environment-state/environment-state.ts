import type {
  Digest,
  GroupDocument,
  Manifest,
  QuarantineEntry,
} from '@needle-faas/runtime/manifest'

/** The newest manifest of an environment as it was signed. */
export interface NewestManifest {
  readonly manifest: Manifest
  /** Of the signed bytes. */
  readonly digest: Digest
  readonly bytes: Uint8Array
}

/** Everything a plan starts from, verified. */
export interface EnvironmentState {
  readonly environment: string
  /** Null before the first publish. */
  readonly newest: NewestManifest | null
  /** By group name. */
  readonly groups: Readonly<Record<string, GroupDocument>>
  readonly quarantine: readonly QuarantineEntry[]
}
