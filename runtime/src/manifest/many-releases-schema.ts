import * as z from 'zod/mini'
import { type Release, releaseFrameSchema, releaseSchema } from './release.ts'
import { type Settings, settingsSchema } from './settings.ts'

/** Generating the code takes as long as two hundred releases, and they take six times as long without it. */
const manyUses = 100
/** So much later its second half, in another turn of the event loop. */
const usesBetween = 50

/**
 * The schema of a release, until it was asked for so often that code of its own pays for it
 * (`z.compile`): what it takes and refuses stays the same. Generated in two pieces, the settings and
 * what they stand in, as all of it takes 10 ms at once. Where code cannot be generated, always the
 * schema itself.
 */
export function createManyReleasesSchema(): () => z.ZodMiniType<Release> {
  let settings = settingsSchema
  let current = releaseSchema
  let uses = 0
  return () => {
    uses += 1
    if (uses === manyUses) settings = z.compile(settingsSchema)
    if (uses === manyUses + usesBetween) current = assemble(z.compile(releaseFrameSchema), settings)
    return current
  }
}

/** Whatever the two do not take is left to the schema itself, which says why. */
function assemble(
  frame: typeof releaseFrameSchema,
  settings: z.ZodMiniType<Settings>,
): z.ZodMiniType<Release> {
  return z.withParser(releaseSchema, (input) => {
    const release = frame.safeParse(input)
    if (!release.success) return z.INVALID
    const own = settings.safeParse(release.data.settings)
    return own.success ? { ...release.data, settings: own.data } : z.INVALID
  })
}
