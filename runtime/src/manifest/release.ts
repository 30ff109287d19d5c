import * as z from 'zod/mini'
import { type Digest, digestSchema } from './digest.ts'
import { functionNameSchema } from './function-name.ts'
import { type Settings, settingsSchema } from './settings.ts'
import { sizeLimit } from './size-limit.ts'

/** Draft 2020-12. */
export type JsonSchema = Readonly<Record<string, unknown>>

/** What a function accepts and answers, as far as JSON Schema can say it. */
export interface Contract {
  readonly input: JsonSchema | null
  readonly output: JsonSchema | null
  /** Rules the schemas enforce at run time that JSON Schema cannot express, as `input.cents: refine`. */
  readonly unexpressed: readonly string[]
}

/** Where the code came from. Unknown is `null`, never a guess. */
export interface Provenance {
  /** Of the Git origin, without credentials; null when there is none. */
  readonly repository: string | null
  /** Full commit id the build ran at. */
  readonly commit: string
  readonly committedAt: string
  /** `Name <email>` of the commit's author. */
  readonly author: string
  readonly pullRequest: number | null
  /** Address or name of the build that produced it; null for a build by hand. */
  readonly build: string | null
}

/** The signed, immutable description of an artifact. Stored as `releases/<sha256 of these signed bytes>.json`. */
export interface Release {
  readonly kind: 'release'
  readonly specVersion: 1
  /** Production runtimes refuse `preview`. */
  readonly scope: 'production' | 'preview'
  readonly function: string
  readonly artifact: { readonly digest: Digest; readonly sizeBytes: number }
  readonly sourceMap: { readonly digest: Digest; readonly sizeBytes: number } | null
  readonly settings: Settings
  /** sha256 over the RFC 8785 canonical JSON of `settings`. */
  readonly settingsDigest: Digest
  readonly contract: Contract
  /** Digest of everything that went into the build; the key of its build record. */
  readonly inputs: Digest
  readonly provenance: Provenance
  readonly builtAt: string
}

const jsonSchemaSchema = z.nullable(z.record(z.string(), z.unknown()))

const releaseShape = {
  kind: z.literal('release'),
  specVersion: z.literal(1),
  scope: z.enum(['production', 'preview']),
  function: functionNameSchema,
  artifact: z.object({
    digest: digestSchema,
    sizeBytes: z.int().check(z.gte(1), z.lte(sizeLimit.artifactBytes)),
  }),
  sourceMap: z.nullable(
    z.object({
      digest: digestSchema,
      sizeBytes: z.int().check(z.gte(1), z.lte(sizeLimit.sourceMapBytes)),
    }),
  ),
  settings: settingsSchema,
  settingsDigest: digestSchema,
  contract: z.object({
    input: jsonSchemaSchema,
    output: jsonSchemaSchema,
    unexpressed: z.array(z.string()),
  }),
  inputs: digestSchema,
  provenance: z.object({
    repository: z.nullable(z.string()),
    commit: z.string().check(z.regex(/^[0-9a-f]{40,64}$/)),
    committedAt: z.iso.datetime({ offset: true }),
    author: z.string(),
    pullRequest: z.nullable(z.int().check(z.positive())),
    build: z.nullable(z.string()),
  }),
  builtAt: z.iso.datetime(),
}

export const releaseSchema: z.ZodMiniType<Release> = z.object(releaseShape)

/** A release whose settings have still to be looked at. */
export interface ReleaseFrame extends Omit<Release, 'settings'> {
  readonly settings: unknown
}

export const releaseFrameSchema: z.ZodMiniType<ReleaseFrame> = z.object({
  ...releaseShape,
  settings: z.unknown(),
})
