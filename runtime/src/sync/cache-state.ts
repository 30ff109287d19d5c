import * as z from 'zod/mini'
import type { SeenManifest } from '../manifest/acceptance.ts'
import { type Digest, digestSchema } from '../manifest/digest.ts'
import type { ReleaseRef } from '../manifest/group-document.ts'
import { pause } from '../pause.ts'

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

/**
 * What `JSON.stringify` made of one. It may know a thousand functions, so that others have their turn
 * in between.
 *
 * @throws Error when it is none
 */
export async function parseCacheState(text: string): Promise<CacheState> {
  await pause()
  const json: unknown = JSON.parse(text)
  await pause()
  const { lastGood: refs, ...state } = frameSchema.parse(json)
  const lastGood: Record<string, ReleaseRef> = {}
  for (const [name, ref] of Object.entries(refs)) {
    await pause()
    lastGood[name] = releaseRefSchema.parse(ref)
  }
  return { ...state, lastGood }
}

const releaseRefSchema: z.ZodMiniType<ReleaseRef> = z.object({
  release: digestSchema,
  sizeBytes: z.int(),
  artifact: digestSchema,
  settings: digestSchema,
})

/** Its releases have still to be looked at, each by itself. */
const frameSchema = z.object({
  highestSeen: z.nullable(z.object({ epoch: z.int(), version: z.int(), digest: digestSchema })),
  lastGood: z.record(z.string(), z.unknown()),
  unfinished: z.nullable(z.object({ digest: digestSchema, attempts: z.int() })),
  recent: z._default(z.array(z.string()), []),
})
