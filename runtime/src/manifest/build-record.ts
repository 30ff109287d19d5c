import * as z from 'zod/mini'
import { type Digest, digestSchema } from './digest.ts'
import { functionNameSchema } from './function-name.ts'
import type { ReleaseRef } from './group-document.ts'

/**
 * Says that these build inputs were already tested, built and released, so that a revert builds
 * nothing. Unsigned: a publisher believes it only after verifying the release it names, whose
 * signed `inputs` must equal the key of this record.
 */
export interface BuildRecord {
  readonly specVersion: 1
  readonly function: string
  readonly scope: 'production' | 'preview'
  readonly inputs: Digest
  readonly release: ReleaseRef
}

export const buildRecordSchema: z.ZodMiniType<BuildRecord> = z.object({
  specVersion: z.literal(1),
  function: functionNameSchema,
  scope: z.enum(['production', 'preview']),
  inputs: digestSchema,
  release: z.object({
    release: digestSchema,
    sizeBytes: z.int().check(z.gte(1)),
    artifact: digestSchema,
    settings: digestSchema,
  }),
})
