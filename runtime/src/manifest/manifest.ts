import * as z from 'zod/mini'
import { type Digest, digestSchema } from './digest.ts'
import { environmentNameSchema, nameSegmentSchema } from './function-name.ts'
import {
  decisionsPerManifest,
  type RolloutDecision,
  rolloutDecisionSchema,
} from './rollout-decision.ts'
import { sizeLimit } from './size-limit.ts'

/** Names an immutable object and bounds what may be read for it. */
export interface ObjectRef {
  readonly digest: Digest
  readonly sizeBytes: number
}

/**
 * The signed desired state of one environment: the one object runtimes poll.
 *
 * Order between two manifests is by (`epoch`, `version`). `epoch` is raised only by a new trust
 * root, so that an absurdly high version number can be recovered from.
 */
export interface Manifest {
  readonly kind: 'manifest'
  readonly specVersion: 1
  readonly environment: string
  /** Equals the `epoch` of the trust root it names. */
  readonly epoch: number
  /** Strictly rising; the number of the history entry. */
  readonly version: number
  /** Trust root whose roles signed this. */
  readonly rootVersion: number
  /** Random; tells a publisher's own write from another's. */
  readonly publishId: string
  readonly issuedAt: string
  /** Past it a runtime freezes: it accepts no change but a newer unexpired manifest, and keeps serving. */
  readonly expiresAt: string
  /** Commit the state was derived from; null before the first publish. */
  readonly commit: string | null
  readonly actor: string
  readonly reason: string
  /** Digest of the previous manifest's signed bytes; null for the first. */
  readonly previous: Digest | null
  readonly quarantine: ObjectRef | null
  /** Features a runtime must know; lacking one it refuses the manifest. */
  readonly requires: readonly string[]
  readonly groups: Readonly<Record<string, ObjectRef>>
  /** What was decided from measurements in this version; absent when a person changed it. */
  readonly decisions?: readonly RolloutDecision[] | undefined
}

/** Features of `requires` this package implements. */
export const knownFeatures: readonly string[] = []

/** How long a manifest lives unless its publisher says otherwise. */
export const manifestLifetimeMs = 30 * 24 * 60 * 60 * 1000

const objectRefSchema = (maxBytes: number): z.ZodMiniType<ObjectRef> =>
  z.object({ digest: digestSchema, sizeBytes: z.int().check(z.gte(1), z.lte(maxBytes)) })

export const manifestSchema: z.ZodMiniType<Manifest> = z.object({
  kind: z.literal('manifest'),
  specVersion: z.literal(1),
  environment: environmentNameSchema,
  epoch: z.int().check(z.gte(1)),
  version: z.int().check(z.gte(1)),
  rootVersion: z.int().check(z.gte(1)),
  publishId: z.string().check(z.minLength(8), z.maxLength(64)),
  issuedAt: z.iso.datetime(),
  expiresAt: z.iso.datetime(),
  commit: z.nullable(z.string()),
  actor: z.string(),
  reason: z.string(),
  previous: z.nullable(digestSchema),
  quarantine: z.nullable(objectRefSchema(sizeLimit.quarantineBytes)),
  requires: z.array(z.string()),
  groups: z.record(nameSegmentSchema, objectRefSchema(sizeLimit.groupBytes)),
  // For people: a later controller's, of another shape, must not keep a runtime from its manifest.
  // oxlint-disable-next-line promise/valid-params -- that of zod
  decisions: z.catch(
    z.optional(z.array(rolloutDecisionSchema).check(z.maxLength(decisionsPerManifest))),
    undefined,
  ),
})
