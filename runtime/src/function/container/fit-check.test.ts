import * as fc from 'fast-check'
import * as vm from 'node:vm'
import { describe, expect, it } from 'vitest'
import * as classic from 'zod'
import * as z from 'zod/mini'
import { type FitCheck, toFitCheckScript } from './fit-check.ts'
import { toPlainSchema } from './plain-schema.ts'

function fitCheckOf(schema: z.core.$ZodType): FitCheck | null {
  const plain = toPlainSchema(schema)
  return plain && toFitCheckScript(plain).runInThisContext()
}

/** Of the values, those that fit. */
function fitting(schema: z.core.$ZodType, values: readonly unknown[]): readonly unknown[] {
  const fits = fitCheckOf(schema)
  if (fits === null) throw new Error('The schema is not plain')
  return values.filter((value) => fits(value))
}

const price = z.object({
  sku: z.string().check(z.minLength(1), z.maxLength(4)),
  quantity: z.int().check(z.gte(1), z.lte(99)),
  note: z.optional(z.string()),
})

class Card {
  readonly note = undefined
  get title(): string {
    return 'a'
  }
}

const hidden = Object.defineProperty({ quantity: 1, note: undefined }, 'sku', { value: 'a' })

describe('values fit', () => {
  it.each<[string, z.core.$ZodType, readonly unknown[], readonly unknown[]]>([
    [
      'a text by its length',
      z.string().check(z.minLength(1), z.maxLength(2)),
      ['a', 'ab'],
      ['', 'abc', 1, null, undefined],
    ],
    [
      'a text of a least length, if every way to count agrees',
      z.string().check(z.minLength(2)),
      ['abcd'],
      ['a', '😀'],
    ],
    ['a text by its pattern', z.string().check(z.regex(/^\/[a\n]$/u)), ['/a', '/\n'], ['a', '/b']],
    ['a text of a format', z.iso.date(), ['2026-02-28'], ['2026-02-30', '']],
    [
      'a text of a format, as zod itself writes it',
      classic.string().email(),
      ['a@b.example'],
      ['a'],
    ],
    ['a finite number', z.number(), [0, -0, 1.5], [Number.NaN, Infinity, '1', 1n]],
    ['a number between bounds', z.number().check(z.gt(0), z.lte(2)), [0.1, 2], [0, 2.1]],
    ['a safe integer', z.int(), [0, -3, 2 ** 53 - 1], [0.5, 2 ** 53, '1']],
    ['a safe integer, as zod itself writes it', classic.number().int().positive(), [1], [0, 1.5]],
    ['a truth value', z.boolean(), [true, false], [0, 'true', null]],
    ['one of a list', z.enum(['a', 'b']), ['a', 'b'], ['c', '', null]],
    ['a literal', z.literal(['a', 1, null]), ['a', 1, null], ['1', undefined, 0]],
    ['what may be null', z.nullable(z.int()), [null, 1], ['', undefined]],
    [
      'a list by its length and its items',
      z.array(z.int()).check(z.maxLength(2)),
      [[], [1, 2]],
      [[1, 2, 3], ['1'], {}, [undefined], Array(1)],
    ],
    [
      'an object with each of its keys',
      price,
      [
        { sku: 'a', quantity: 1 },
        { quantity: 2, sku: 'b', note: '' },
      ],
      [{ sku: 'a' }, { sku: 'a', quantity: 1, note: null }, [], null, 'x'],
    ],
    [
      'no object with a key that zod would take away',
      price,
      [],
      [
        { sku: 'a', quantity: 1, more: 1 },
        { sku: 'a', quantity: 1, note: undefined },
      ],
    ],
    [
      'no object that says what it is as JSON',
      price,
      [],
      [
        { sku: 'a', quantity: 1, toJSON: () => 1 },
        Object.create(
          { toJSON: () => 1 },
          { sku: { value: 'a', enumerable: true }, quantity: { value: 1, enumerable: true } },
        ),
      ],
    ],
    [
      'no object with keys that nobody sees',
      price,
      [],
      [Object.defineProperty({ quantity: 1, more: 1 }, 'sku', { value: 'a' })],
    ],
    [
      'no list that says what it is as JSON',
      z.array(z.int()),
      [[1]],
      [Object.assign([1], { toJSON: () => 1 })],
    ],
    [
      'no object of a class, which has keys where JSON does not look',
      z.object({ title: z.string(), note: z.optional(z.string()) }),
      [{ title: 'a' }, Object.assign(Object.create(null), { title: 'a' })],
      [new Card(), Object.create({ title: 'a' })],
    ],
    ['no object with a hidden key, made up for by an empty one', price, [], [hidden]],
    ['no boxed value', z.object({}), [{}], [Object(''), Object(1)]],
    [
      'anything that is there',
      z.object({ x: z.unknown() }),
      [{ x: null }, { x: [1] }],
      [{}, { x: undefined }],
    ],
    ['a strict object', z.strictObject({ a: z.int() }), [{ a: 1 }], [{ a: 1, b: 1 }]],
    ['what has a default and is there', z.object({ a: z._default(z.int(), 1) }), [{ a: 2 }], [{}]],
    ['what would be converted, when it needs none', classic.coerce.number(), [1], ['1', true]],
    [
      'keys of any name',
      z.object({ 'a"\n\u2028': z.int(), constructor: z.int() }),
      [{ 'a"\n\u2028': 1, constructor: 2 }],
      [{ 'a"\n\u2028': 1 }],
    ],
    ['an empty object', z.object({}), [{}], [{ a: 1 }, []]],
  ])('%s', (_title, schema, fit, others) => {
    expect(fitting(schema, [...fit, ...others])).toEqual(fit)
  })

  it('in the realm they are of', () => {
    const context = vm.createContext(vm.constants.DONT_CONTEXTIFY)
    const plain = toPlainSchema(z.array(price))
    const fits = plain && toFitCheckScript(plain).runInContext(context)
    expect(fits?.(vm.runInContext(`[{ sku: 'a', quantity: 1 }]`, context))).toBe(true)
  })
})

describe('is left to its library: a schema', () => {
  it.each<[string, z.core.$ZodType]>([
    ['that refines', z.int().check(z.refine((value) => value > 1))],
    ['that refines an object', z.object({ a: z.int() }).check(z.refine(() => false))],
    [
      'deep within which something refines',
      z.object({ a: z.array(z.nullable(z.string().check(z.refine(() => false)))) }),
    ],
    [
      'that transforms',
      z.pipe(
        z.string(),
        z.transform((text) => text.length),
      ),
    ],
    ['that trims', z.string().check(z.trim())],
    ['that trims, as zod itself writes it', classic.string().trim()],
    ['of a format that computes', z.url()],
    ['of a format of its own', z.stringFormat('even', (text) => text.length % 2 === 0)],
    ['of another range of integers', z.int32()],
    ['of multiples', z.number().check(z.multipleOf(2))],
    ['with a pattern that remembers', z.string().check(z.regex(/a/g))],
    ['of dates', z.date()],
    ['of big integers', z.bigint()],
    ['that lets other keys through', z.looseObject({ a: z.int() })],
    ['that checks other keys', z.catchall(z.object({ a: z.int() }), z.int())],
    ['of one of several', z.union([z.string(), z.int()])],
    ['of records', z.record(z.string(), z.int())],
    ['that freezes', z.readonly(z.object({ a: z.int() }))],
    ['that refers to itself', z.lazy(() => z.int())],
    ['that computes', z.custom(() => false)],
    ['made of what may be left out', z.array(z.optional(z.int()))],
    [
      'with a checked key that may be left out',
      z.object({ a: z.optional(z.int()).check(z.refine(() => false)) }),
    ],
    ['with __proto__ as a key', z.object(JSON.parse('{"__proto__":1}'))],
  ])('%s', (_title, schema) => {
    expect(toPlainSchema(schema)).toBeNull()
  })

  it('of another library', () => {
    const other = { ...z.int()['~standard'], vendor: 'other' }
    expect(toPlainSchema({ '~standard': other })).toBeNull()
  })
})

/** Plain schemas with values, most of which they take, and some of which they nearly take. */
const schemas = fc.letrec<{ schema: z.core.$ZodType; leaf: z.core.$ZodType }>((tie) => ({
  leaf: fc.oneof(
    fc
      .tuple(fc.nat(3), fc.nat(3))
      .map(([least, more]) => z.string().check(z.minLength(least), z.maxLength(least + more))),
    fc
      .tuple(fc.integer({ min: -2, max: 2 }), fc.nat(4))
      .map(([least, more]) => z.int().check(z.gte(least), z.lt(least + more))),
    fc.constantFrom<z.core.$ZodType>(
      z.number(),
      z.boolean(),
      z.literal(['a', 0, true]),
      z.enum(['a', 'b']),
      z.unknown(),
      z.null(),
    ),
  ),
  schema: fc.oneof(
    { depthSize: 'small' },
    tie('leaf'),
    tie('schema').map((schema) => z.nullable(schema)),
    tie('schema').map((schema) => z.array(schema).check(z.maxLength(3))),
    fc
      .dictionary(
        fc.constantFrom('a', 'b', 'c', 'toJSON'),
        fc
          .tuple(tie('schema'), fc.nat(3))
          .map(([schema, wrapper]) => wrappers[wrapper]?.(schema) ?? schema),
        { maxKeys: 3, noNullPrototype: true },
      )
      .map((shape) => z.object(shape)),
  ),
}))

const { catch: caught } = z

const wrappers = [
  (schema: z.core.$ZodType) => z.optional(schema),
  (schema: z.core.$ZodType) => z._default(schema, 1),
  (schema: z.core.$ZodType) => caught(schema, 1),
]

const values = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom<unknown>(
      null,
      undefined,
      true,
      false,
      0,
      -0,
      1,
      -1,
      0.5,
      3,
      '',
      'a',
      'b',
      'abc',
      '😀',
      '😀😀',
      Number.NaN,
      Infinity,
    ),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd', 'toJSON'), tie('value'), {
      maxKeys: 4,
      noNullPrototype: true,
    }),
  ),
}))

describe('what fits', () => {
  it('is what zod takes and hands on as it is', () => {
    let fitted = 0
    fc.assert(
      fc.property(
        schemas.schema,
        fc.array(values.value, { minLength: 20, maxLength: 40 }),
        (schema, given) => {
          for (const value of fitting(schema, given)) {
            fitted += 1
            const parsed = z.safeParse(schema, value)
            expect(parsed.success).toBe(true)
            expect(parsed.data).toStrictEqual(value)
          }
        },
      ),
      { numRuns: 500 },
    )
    expect(fitted).toBeGreaterThan(500)
  })
})
