import * as fc from 'fast-check'
import * as vm from 'node:vm'
import { describe, expect, it } from 'vitest'
import * as z from 'zod/mini'
import { toFitCheckScript } from './fit-check.ts'
import { type JsonWriter, toJsonWriterScript } from './json-writer.ts'
import { toPlainSchema } from './plain-schema.ts'

function writerOf(schema: z.core.$ZodType): JsonWriter | null {
  const plain = toPlainSchema(schema)
  return (plain && toJsonWriterScript(plain))?.runInThisContext() ?? null
}

function write(schema: z.core.$ZodType, value: unknown): string {
  const writer = writerOf(schema)
  if (writer === null) throw new Error('The schema has no writer')
  return writer(value)
}

const card = z.object({
  note: z.optional(z.string()),
  title: z.string(),
  cents: z.number(),
  isNew: z.boolean(),
  seller: z.nullable(z.object({ id: z.int(), more: z.optional(z.string()) })),
  tags: z.array(z.string()),
  kind: z.enum(['a', 'b']),
  level: z.literal(['x', 1, null]),
})
const full = {
  note: 'n',
  title: 't',
  cents: 1.5,
  isNew: false,
  seller: { id: 1, more: 'm' },
  tags: ['a', '"'],
  kind: 'a',
  level: null,
}

describe('a writer writes', () => {
  it.each<[string, z.core.$ZodType, unknown]>([
    ['every kind of value', card, full],
    ['what is empty', card, { ...full, seller: null, tags: [], level: 1 }],
    ['an empty object', z.object({}), {}],
    ['zero without its sign', z.object({ a: z.number() }), { a: -0 }],
    ['numbers with an exponent', z.object({ a: z.number() }), { a: 1e21 }],
    ['keys of any name', z.object({ 'a"\n\u2028': z.int() }), { 'a"\n\u2028': 1 }],
  ])('%s as JSON.stringify does', (_title, schema, value) => {
    expect(write(schema, value)).toBe(JSON.stringify(value))
  })

  it.each([
    'a "quoted" one',
    'back\\slash',
    'line\nbreak',
    '\u0000\u001f\u007f',
    'é',
    '😀',
    '\ud800',
    'a\udfff',
    '\u2028',
    'x'.repeat(40),
    `${'x'.repeat(40)}"`,
    '',
  ])('the text %j as JSON.stringify does', (text) => {
    expect(write(z.object({ text: z.string() }), { text })).toBe(JSON.stringify({ text }))
  })

  it('the keys in the order of the schema', () => {
    const pair = z.object({ a: z.int(), b: z.int() })
    expect(write(pair, { b: 2, a: 1 })).toBe('{"a":1,"b":2}')
  })

  it('no comma before what comes first', () => {
    const options = z.object({ a: z.optional(z.int()), b: z.optional(z.int()), c: z.int() })
    expect(write(options, { c: 3 })).toBe('{"c":3}')
    expect(write(options, { b: 2, c: 3 })).toBe('{"b":2,"c":3}')
    expect(write(options, { a: 1, c: 3 })).toBe('{"a":1,"c":3}')
  })

  it('JSON, whatever a getter gives after it was checked', () => {
    for (const later of [undefined, () => 1, Number.NaN, { a: 1 }, 'a"', 1, null]) {
      const lying = {}
      for (const name of Object.keys(full)) {
        Object.defineProperty(lying, name, { enumerable: true, get: () => later })
      }
      expect(() => JSON.parse(write(card, lying))).not.toThrow()
    }
  })

  it('objects of its realm', () => {
    const context = vm.createContext(vm.constants.DONT_CONTEXTIFY)
    const plain = toPlainSchema(card)
    const writer = plain && toJsonWriterScript(plain)?.runInContext(context)
    const value: unknown = vm.runInContext(`(${JSON.stringify(full)})`, context)
    expect(writer(value)).toBe(JSON.stringify(full))
  })
})

describe('is left to JSON.stringify: a schema', () => {
  it.each<[string, z.core.$ZodType]>([
    ['of a list', z.array(z.int())],
    ['of a text', z.string()],
    ['with a key that may be anything, as it may have no JSON', z.object({ a: z.unknown() })],
    [
      'deep within which a key may be anything',
      z.object({ a: z.nullable(z.object({ b: z.any() })) }),
    ],
  ])('%s', (_title, schema) => {
    expect(toPlainSchema(schema)).not.toBeNull()
    expect(writerOf(schema)).toBeNull()
  })
})

/** Plain objects of any shape with values that fit them. */
const objects = fc.letrec<{ object: Sample; property: Sample }>((tie) => ({
  property: fc.oneof(
    { depthSize: 'small' },
    fc.string({ unit: 'binary', maxLength: 45 }).map((value) => ({ schema: z.string(), value })),
    fc
      .double({ noNaN: true, noDefaultInfinity: true })
      .map((value) => ({ schema: z.number(), value })),
    fc.boolean().map((value) => ({ schema: z.boolean(), value })),
    fc.constantFrom('a"', 'b').map((value) => ({ schema: z.enum(['a"', 'b']), value })),
    fc.constantFrom(1, 'a', null).map((value) => ({ schema: z.literal([1, 'a', null]), value })),
    fc.array(fc.string()).map((value) => ({ schema: z.array(z.string()), value })),
    tie('property').map(({ schema, value }) => ({ schema: z.nullable(schema), value })),
    tie('property').map(({ schema }) => ({ schema: z.nullable(schema), value: null })),
    tie('object'),
  ),
  object: fc
    .array(
      fc.record({
        name: fc.string({ unit: 'grapheme', maxLength: 3 }).filter((name) => name !== '__proto__'),
        sample: tie('property'),
        how: fc.constantFrom('required', 'given', 'absent'),
      }),
      { maxLength: 4 },
    )
    .map((properties) => {
      const shape: Record<string, z.core.$ZodType> = {}
      const value: Record<string, unknown> = {}
      for (const { name, sample, how } of properties) {
        if (Object.hasOwn(shape, name)) continue
        shape[name] = how === 'required' ? sample.schema : z.optional(sample.schema)
        if (how !== 'absent') value[name] = sample.value
      }
      return { schema: z.object(shape), value }
    }),
}))

type Sample = { readonly schema: z.core.$ZodType; readonly value: unknown }

describe('what a writer writes', () => {
  it('is what JSON.stringify would, of all that fits', () => {
    fc.assert(
      fc.property(objects.object, ({ schema, value }) => {
        const plain = toPlainSchema(schema)
        expect(plain && toFitCheckScript(plain).runInThisContext()(value)).toBe(true)
        expect(write(schema, value)).toBe(JSON.stringify(value))
      }),
      { numRuns: 500 },
    )
  })
})
