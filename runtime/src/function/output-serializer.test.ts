import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import type { JsonSchema } from '../manifest/release.ts'
import { createOutputSerializer } from './output-serializer.ts'

const text = fc.string({ unit: 'binary' })
const number = fc.double({ noNaN: true, noDefaultInfinity: true })
const optional = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { nil: undefined })
const nullable = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { nil: null })

const cases: [string, z.ZodType, fc.Arbitrary<unknown>][] = [
  [
    'flat objects',
    z.object({ a: z.string(), b: z.number(), c: z.boolean(), d: z.null(), e: z.int() }),
    fc.record({
      a: text,
      b: number,
      c: fc.boolean(),
      d: fc.constant(null),
      e: fc.maxSafeInteger(),
    }),
  ],
  [
    'optional and nullable properties in any mix',
    z.object({
      a: z.string().optional(),
      b: z.number().nullable(),
      c: z.string().nullish(),
      d: z.boolean(),
      e: z.object({ f: z.string().optional() }).nullable(),
      g: z.array(z.string()).nullable().optional(),
    }),
    fc.record({
      a: optional(text),
      b: nullable(number),
      c: optional(nullable(text)),
      d: fc.boolean(),
      e: nullable(fc.record({ f: optional(text) })),
      g: optional(nullable(fc.array(text))),
    }),
  ],
  [
    'nested arrays',
    z.array(z.array(z.object({ sku: z.string(), cents: z.int() }))),
    fc.array(fc.array(fc.record({ sku: text, cents: fc.maxSafeInteger() }))),
  ],
  [
    'parts without one shape',
    z.object({
      union: z.union([z.string(), z.number(), z.object({ x: z.string() })]),
      record: z.record(z.string(), z.number()),
      any: z.unknown(),
      tuple: z.tuple([z.string(), z.number()]),
      loose: z.looseObject({ a: z.string() }),
      one: z.enum(['a', 'b']),
      two: z.literal(['x', 1, null]),
    }),
    fc.record({
      union: fc.oneof(text, number, fc.record({ x: text })),
      record: fc.dictionary(text, number),
      any: fc.oneof(fc.jsonValue(), fc.constant(undefined)),
      tuple: fc.tuple(text, number),
      loose: fc.record({ a: text, more: fc.jsonValue() }),
      one: fc.constantFrom('a', 'b'),
      two: fc.constantFrom('x', 1, null),
    }),
  ],
  ['text', z.string(), text],
  [
    'dates as text',
    z.object({ at: z.iso.datetime() }),
    fc.record({ at: fc.date({ noInvalidDate: true }).map((date) => date.toISOString()) }),
  ],
]

describe('what the serialiser writes equals JSON.stringify for', () => {
  it.each(cases)('%s', (_title, schema, values) => {
    const serializer = createOutputSerializer(z.toJSONSchema(schema, { io: 'output' }))
    expect(serializer.unaided).toBeNull()
    fc.assert(
      fc.property(values, (value) => {
        const parsed = schema.safeParse(value)
        fc.pre(parsed.success)
        expect(serializer.serialize(parsed.data)).toBe(JSON.stringify(parsed.data))
      }),
      { numRuns: 300 },
    )
  })
})

it.each<[string, JsonSchema | null]>([
  ['no schema', null],
  ['a union at the root', { anyOf: [{ type: 'string' }, { type: 'number' }] }],
  ['a reference at the root', { $ref: '#/$defs/a', $defs: { a: { type: 'string' } } }],
])('says that it goes without the schema for %s', (_title, schema) => {
  const serializer = createOutputSerializer(schema)
  expect(serializer.unaided).toMatch(/output schema/)
  expect(serializer.serialize({ a: 1n === 1n })).toBe('{"a":true}')
})

it('throws for a cycle and a bigint, as JSON.stringify does', () => {
  const serializer = createOutputSerializer({
    type: 'object',
    properties: { any: {} },
    additionalProperties: false,
  })
  const cycle: Record<string, unknown> = {}
  cycle['any'] = cycle
  expect(() => serializer.serialize(cycle)).toThrow(TypeError)
  expect(() => serializer.serialize({ any: 1n })).toThrow(TypeError)
})
