import { expect, it } from 'vitest'
import { parseManifest } from './manifest/documents.ts'
import { parseRuntimeOptions } from './runtime-options.ts'

// Nothing here may import `zod`, which teaches `zod/mini` English.
it.each([
  ['options', () => parseRuntimeOptions({})],
  ['documents', () => parseManifest(Buffer.from('{"kind":"manifest"}'))],
])('says what is wrong with %s', (_title, parse) => {
  expect(parse).toThrow(/expected \w+, received undefined/)
})
