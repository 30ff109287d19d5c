import { describe, expect, it } from 'vitest'
import * as z from 'zod/mini'
import { inEnglish } from '../in-english.ts'
import { createManyReleasesSchema } from './many-releases-schema.ts'
import { releaseFrameSchema, releaseSchema } from './release.ts'
import { settingsSchema } from './settings.ts'
import { testRelease } from './testing/test-documents.ts'

describe('the schema of many releases', () => {
  const release = testRelease('shop/card')
  const settings = { ...release.settings, timeoutMs: 0 }

  it.each([
    ['of the release', { ...release, specVersion: 2 }],
    ['of its settings', { ...release, settings }],
  ])('takes and refuses the same before and after, for the same reason: %s', (_, wrong) => {
    const current = createManyReleasesSchema()
    const answers = Array.from({ length: 200 }, () => {
      const asked = current()
      return {
        isCompiled: asked !== releaseSchema,
        taken: JSON.stringify(asked.safeParse({ ...release, unknown: true }).data),
        refused: asked.safeParse(wrong, inEnglish).error?.issues,
      }
    })
    const verdict = {
      taken: JSON.stringify(releaseSchema.parse(release)),
      refused: releaseSchema.safeParse(wrong, inEnglish).error?.issues,
    }
    expect(verdict.refused).toHaveLength(1)
    expect(answers[0]).toEqual({ isCompiled: false, ...verdict })
    expect(answers.at(-1)).toEqual({ isCompiled: true, ...verdict })
  })

  it.each([releaseFrameSchema, settingsSchema])('can be compiled', (schema) => {
    expect(z.compile(schema, { strict: true })).not.toBe(schema)
  })
})
