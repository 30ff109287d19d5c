import { expect, it } from 'vitest'
import { inspectFailure } from './inspect-failure.ts'

const many = (count: number): Record<string, number> =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`key${index}`, index]))

const errors = (count: number): Error[] =>
  Array.from({ length: count }, (_, index) => new Error(`${index}: ${'x'.repeat(1000)}`))

it('shows message, stack, fields and causes', () => {
  const text = inspectFailure(Object.assign(new Error('b', { cause: new Error('a') }), { id: 7 }))
  expect(text).toMatch(/^Error: b\n {4}at [^]*id: 7,\n[^]*cause\]: Error: a\n {6}at /)
})

it.each<[string, unknown, RegExp]>([
  ['a long message', new Error(`<${'x'.repeat(1_000_000)}>`), /^Error: <xx[^]*more[^]*>\n {4}at /],
  ['large fields', Object.assign(new Error('why'), many(10_000)), /^Error: why\n {4}at /],
  ['a large cause', new Error('why', { cause: many(10_000) }), /^Error: why\n {4}at /],
  [
    'errors within errors',
    new AggregateError(
      [1, 2].map(() => new AggregateError(errors(100), 'and why')),
      'why',
    ),
    /why/,
  ],
  [
    'what a map holds',
    Object.assign(new Error('why'), { map: new Map([[1, many(2000)]]) }),
    /^Error: why/,
  ],
  ['a large object', many(10_000), /^A thrown object, too large/],
  ['a large text', 'x'.repeat(1_000_000), /^xxx[^]*more/],
])('cuts %s down to what a log can take', (_title, thrown, told) => {
  const text = inspectFailure(thrown)
  expect(text).toMatch(told)
  expect(text.length).toBeLessThan(11_000)
})

it('does not mind what it shows the first of: bytes, lists', () => {
  const error = Object.assign(new Error('why'), {
    bytes: new Uint8Array(5_000_000),
    list: Array.from({ length: 1_000_000 }, (_, index) => index),
    set: new Set([1]),
  })
  const text = inspectFailure(error)
  expect(text).toContain('4999900 more items')
  expect(text).toContain('999900 more items')
})

it.each<[string, unknown, RegExp]>([
  [
    'a getter of its stack',
    Object.defineProperty(new Error('x'), 'stack', {
      get: () => {
        throw new Error('no')
      },
    }),
    /Error: x/,
  ],
  [
    'its traps',
    new Proxy(
      {},
      {
        get: () => {
          throw new Error('no')
        },
        has: () => {
          throw new Error('no')
        },
        ownKeys: () => {
          throw new Error('no')
        },
      },
    ),
    /^A thrown object/,
  ],
])('survives %s', (_title, thrown, told) => {
  expect(inspectFailure(thrown)).toMatch(told)
})
