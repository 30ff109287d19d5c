import { describe, expect, it } from 'vitest'
import * as z from 'zod/mini'
import { inEnglish } from '../in-english.ts'
import { compiledWhenMany } from './compiled-when-many.ts'
import { releaseSchema } from './release.ts'

describe('compiledWhenMany', () => {
  it('takes and refuses the same before and after, for the same reason', () => {
    const schema = z.object({ sizeBytes: z.int().check(z.gte(1)) })
    const current = compiledWhenMany(schema)
    const answers = Array.from({ length: 200 }, () => {
      const asked = current()
      return {
        isCompiled: asked !== schema,
        taken: asked.safeParse({ sizeBytes: 1, unknown: true }).data,
        refused: asked.safeParse({ sizeBytes: 0 }, inEnglish).error?.issues[0]?.message,
      }
    })
    const verdict = { taken: { sizeBytes: 1 }, refused: 'Too small: expected number to be >=1' }
    expect(answers[0]).toEqual({ isCompiled: false, ...verdict })
    expect(answers.at(-1)).toEqual({ isCompiled: true, ...verdict })
  })

  it('can compile what a release is', () => {
    expect(z.compile(releaseSchema, { strict: true })).not.toBe(releaseSchema)
  })
})
