import {
  type Contract,
  type Digest,
  digestSchema,
  functionNameSchema,
  type ReleaseRef,
  type Settings,
  settingsSchema,
  sizeLimit,
} from '@needle-faas/runtime/manifest'
import * as z from 'zod'
import type { RolloutPlan } from '../config/rollout-policy.ts'
import { rolloutPlanSchema } from '../config/rollout-schema.ts'

/** Bytes that lie in the build directory under a name made of their digest. */
export interface BuiltObject {
  /** Name within the build directory. */
  readonly file: string
  readonly digest: Digest
  readonly sizeBytes: number
}

/** A function that this build bundled. */
export interface BuiltFunction {
  readonly status: 'built'
  /** `<group>/<name>`. */
  readonly name: string
  /** Digest of everything that went into it. */
  readonly inputs: Digest
  readonly artifact: BuiltObject
  readonly sourceMap: BuiltObject
  readonly settings: Settings
  /** sha256 over the RFC 8785 canonical JSON of `settings`. */
  readonly settingsDigest: Digest
  readonly contract: Contract
  /** How a change of it goes out; absent: to everyone at once. */
  readonly rollout?: RolloutPlan | undefined
}

/** A function that is in the store already, built from the same inputs. */
export interface ReusedFunction {
  readonly status: 'reused'
  readonly name: string
  readonly inputs: Digest
  readonly release: ReleaseRef
  readonly rollout?: RolloutPlan | undefined
}

/**
 * `build.json`: what the job that may run author code hands to the job that holds the key. One
 * entry per function, sorted by name. It is a claim by an untrusted job: the publisher
 * checks digests and sizes, and verifies each reused release against its signature.
 */
export interface BuildManifest {
  readonly specVersion: 1
  /** Full id of the commit that was checked out. */
  readonly commit: string
  /** Whether files below `functions/` or the lock file differed from that commit; such a build is never published. */
  readonly dirty: boolean
  readonly scope: 'production' | 'preview'
  /** The environment whose services it was checked against; null: all. */
  readonly environment: string | null
  /** Whether every function of the tree is listed. A build of affected functions only is never published. */
  readonly complete: boolean
  readonly functions: readonly (BuiltFunction | ReusedFunction)[]
}

const objectSchema = (maxBytes: number) =>
  z.strictObject({
    // digests make the names, so that none can leave the directory
    file: z.string().regex(/^[0-9a-f]{64}\.js(?:\.map)?$/),
    digest: digestSchema,
    sizeBytes: z.int().min(1).max(maxBytes),
  })

const jsonSchemaSchema = z.record(z.string(), z.unknown()).nullable()

export const buildManifestSchema: z.ZodType<BuildManifest> = z.strictObject({
  specVersion: z.literal(1),
  commit: z.string().regex(/^[0-9a-f]{40,64}$/),
  dirty: z.boolean(),
  scope: z.enum(['production', 'preview']),
  environment: z.string().nullable(),
  complete: z.boolean(),
  functions: z
    .array(
      z.discriminatedUnion('status', [
        z.strictObject({
          status: z.literal('built'),
          name: functionNameSchema,
          inputs: digestSchema,
          artifact: objectSchema(sizeLimit.artifactBytes),
          sourceMap: objectSchema(sizeLimit.sourceMapBytes),
          settings: settingsSchema,
          settingsDigest: digestSchema,
          contract: z.strictObject({
            input: jsonSchemaSchema,
            output: jsonSchemaSchema,
            unexpressed: z.array(z.string()),
          }),
          rollout: z.exactOptional(rolloutPlanSchema),
        }),
        z.strictObject({
          status: z.literal('reused'),
          name: functionNameSchema,
          inputs: digestSchema,
          release: z.strictObject({
            release: digestSchema,
            sizeBytes: z.int().min(1).max(sizeLimit.releaseBytes),
            artifact: digestSchema,
            settings: digestSchema,
          }),
          rollout: z.exactOptional(rolloutPlanSchema),
        }),
      ]),
    )
    .refine(
      (functions) => new Set(functions.map(({ name }) => name)).size === functions.length,
      'a function is listed twice',
    ),
})
