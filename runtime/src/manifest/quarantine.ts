import * as z from 'zod/mini'
import { type Digest, digestSchema } from './digest.ts'
import { functionNameSchema } from './function-name.ts'
import type { ReleaseRef } from './group-document.ts'

/** A pair of artifact and settings that may not serve this function again until someone clears it. */
export interface QuarantineEntry {
  readonly function: string
  readonly artifact: Digest
  readonly settings: Digest
  readonly by: string
  readonly reason: string
  readonly since: string
}

/** Content-addressed list named by the manifest. */
export interface QuarantineDocument {
  readonly specVersion: 1
  readonly entries: readonly QuarantineEntry[]
}

export const quarantineDocumentSchema: z.ZodMiniType<QuarantineDocument> = z.object({
  specVersion: z.literal(1),
  entries: z.array(
    // Loose: who adds an entry writes all of them again.
    z.looseObject({
      function: functionNameSchema,
      artifact: digestSchema,
      settings: digestSchema,
      by: z.string(),
      reason: z.string(),
      since: z.iso.datetime(),
    }),
  ),
})

/** The entry that keeps this release of the function from serving, if there is one. */
export function findQuarantined(
  entries: readonly QuarantineEntry[],
  functionName: string,
  pair: Pick<ReleaseRef, 'artifact' | 'settings'>,
): QuarantineEntry | undefined {
  return entries.find(
    (entry) =>
      entry.function === functionName &&
      entry.artifact === pair.artifact &&
      entry.settings === pair.settings,
  )
}
