import * as z from 'zod/mini'
import type { SeenManifest } from '../manifest/acceptance.ts'
import { type Digest, digestSchema } from '../manifest/digest.ts'
import type { ReleaseRef } from '../manifest/group-document.ts'

/** An activation that began and may never have ended. */
export interface UnfinishedActivation {
  readonly digest: Digest
  /** How many times in a row this manifest's activation began without ending. */
  readonly attempts: number
}

/** What an instance remembers about itself, beside the signed documents. */
export interface CacheState {
  readonly highestSeen: SeenManifest | null
  /** Stable release that last served, by function. */
  readonly lastGood: Readonly<Record<string, ReleaseRef>>
  readonly unfinished: UnfinishedActivation | null
  /** Functions that were called lately. */
  readonly recent: readonly string[]
}

export const emptyCacheState: CacheState = {
  highestSeen: null,
  lastGood: {},
  unfinished: null,
  recent: [],
}

export const cacheStateSchema: z.ZodMiniType<CacheState> = z.object({
  highestSeen: z.nullable(z.object({ epoch: z.int(), version: z.int(), digest: digestSchema })),
  lastGood: z.record(
    z.string(),
    z.object({
      release: digestSchema,
      sizeBytes: z.int(),
      artifact: digestSchema,
      settings: digestSchema,
    }),
  ),
  unfinished: z.nullable(z.object({ digest: digestSchema, attempts: z.int() })),
  recent: z._default(z.array(z.string()), []),
})
