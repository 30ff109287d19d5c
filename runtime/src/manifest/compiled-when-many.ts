import * as z from 'zod/mini'

/** Generating the code takes as long as two hundred releases, and they take six times as long without it. */
const manyUses = 100

/**
 * The schema itself, until it was asked for so often that code of its own pays for it (`z.compile`):
 * what it takes and refuses stays the same. Where code cannot be generated, always the schema itself.
 */
export function compiledWhenMany<Value>(schema: z.ZodMiniType<Value>): () => z.ZodMiniType<Value> {
  let current = schema
  let uses = 0
  return () => {
    uses += 1
    if (uses === manyUses) current = z.compile(schema)
    return current
  }
}
