import { describe, expect, test } from 'vitest'
import { parseSource } from './parse-source.ts'

const faultsOf = (text: string) =>
  parseSource('index.ts', text).faults.map(
    ({ code, position }) => `${code} ${position.line}:${position.column}`,
  )

describe('faults', () => {
  test.each([
    ['a syntax error', 'const a = 1\nlet b = ;\n', 'FUNCTION_SYNTAX 2:9'],
    ['top-level await', 'const a = 1\n  await a\n', 'FUNCTION_TOP_LEVEL_AWAIT 2:3'],
    ['top-level for await', 'for await (const a of []) {}\n', 'FUNCTION_TOP_LEVEL_AWAIT 1:1'],
    ['top-level await using', 'await using a = null\n', 'FUNCTION_TOP_LEVEL_AWAIT 1:1'],
    [
      'import() of a variable',
      'const a = (b: string) => import(b)\n',
      'FUNCTION_COMPUTED_IMPORT 1:26',
    ],
    ['import() of a template', 'import(`./${1}.ts`)\n', 'FUNCTION_COMPUTED_IMPORT 1:1'],
    ['import.meta', 'export const a = import.meta.url\n', 'FUNCTION_IMPORT_META 1:18'],
    ['require', "const a = require('x')\n", 'FUNCTION_REQUIRE 1:11'],
    ['require under another name', 'const load = require\n', 'FUNCTION_REQUIRE 1:14'],
    ['require as a shorthand', 'const a = { require }\n', 'FUNCTION_REQUIRE 1:13'],
  ])('are found: %s', (_what, text, fault) => {
    expect(faultsOf(text)).toContain(fault)
  })

  test.each([
    ['await in a function', 'export default async () => { await 1; for await (const a of []) {} }'],
    ['await in a method', 'export default { async handler() { await 1 } }'],
    ['import() of a literal', "export const a = () => import('./b.ts')"],
    ['a member called require', 'export const a = (b: { require: number }) => b.require'],
    ['a key called require', 'export const a = { require: 1 }'],
    ['words in text', 'export const a = "await require import.meta"'],
  ])('are not found: %s', (_what, text) => {
    expect(faultsOf(text)).toEqual([])
  })
})

describe('imports', () => {
  test.each([
    ["import { a } from './a.ts'", './a.ts', false],
    ["import './a.ts'", './a.ts', false],
    ["import type { A } from './a.ts'", './a.ts', true],
    ["import { type A, type B } from './a.ts'", './a.ts', true],
    ["import { type A, b } from './a.ts'", './a.ts', false],
    ["export { a } from './a.ts'", './a.ts', false],
    ["export * from './a.ts'", './a.ts', false],
    ["export type { A } from './a.ts'", './a.ts', true],
    ["const a = import('./a.ts')", './a.ts', false],
  ])('%s', (text, specifier, typeOnly) => {
    expect(parseSource('index.ts', text).imports).toMatchObject([{ specifier, typeOnly }])
  })

  test.each([
    ["import { z } from 'zod'", true],
    ["import z from 'zod'", true],
    ["import * as z from 'zod'", false],
    ["import type { z } from 'zod'", false],
  ])('whether z is imported by name: %s', (text, importsZ) => {
    expect(parseSource('index.ts', text).imports).toMatchObject([{ importsZ }])
  })
})

describe('default export', () => {
  test.each([
    ['export default async () => 1', true],
    ['const a = 1\nexport { a as default }', true],
    ["export { default } from './a.ts'", true],
    ['export const handler = 1', false],
    ['interface A {}\nexport type { A as default }', false],
  ])('%s', (text, has) => {
    expect(parseSource('index.ts', text).hasDefaultExport).toBe(has)
  })
})
