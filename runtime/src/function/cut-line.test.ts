import { describe, expect, it } from 'vitest'
import { cutLine, maxLineCharacters } from './cut-line.ts'

const long = 'x'.repeat(10_000_000)
/** Marks, names and the text of what was cut come on top. */
const atMost = maxLineCharacters + 1000

function thrower(): never {
  throw new Error('not to be read')
}

function lengthOf(message: unknown, fields?: Record<string, unknown>): number {
  const line = cutLine(message, fields)
  return line.message.length + JSON.stringify(line.fields ?? {}).length
}

describe('a line of log', () => {
  it('is let be when it is short, fields and all', () => {
    const fields = { order: { id: 1, items: ['a', 'b'] } }
    const line = cutLine('sold', fields)
    expect(line).toMatchObject({ message: 'sold', characters: expect.any(Number) })
    expect(line.fields).toBe(fields)
  })

  it('is cut where its message is long, and says what is gone', () => {
    const { message } = cutLine(long, undefined)
    expect(message).toBe(
      `${'x'.repeat(maxLineCharacters)}… ${10_000_000 - maxLineCharacters} characters more`,
    )
  })

  it.each([
    ['a text', { text: long }],
    ['a list', { list: Array.from({ length: 100_000 }, (_, at) => at) }],
    ['a tree', { tree: { a: { b: { c: { d: { e: { f: { g: { h: long } } } } } } } } }],
    ['bytes', { bytes: new Uint8Array(10_000_000) }],
    ['a map', { map: new Map([[1, long]]) }],
    ['names', { [long]: 1 }],
    ['many', Object.fromEntries(Array.from({ length: 100_000 }, (_, at) => [`key${at}`, at]))],
    ['an error', { error: new Error(long) }],
  ])('is cut where a field is long: %s', (_, fields) => {
    expect(lengthOf('line', fields)).toBeLessThan(atMost)
  })

  it('keeps the fields that fit, and names those it leaves out', () => {
    const { fields } = cutLine('line', { id: 1, text: long, after: 2 })
    expect(fields).toEqual({
      id: 1,
      text: expect.stringMatching(/^x+… \d+ characters more$/),
      omitted: ['after'],
    })
  })

  it.each([
    ['an address', { url: new URL(`http://x/${long}`) }],
    ['a `toJSON`', { own: { toJSON: () => long } }],
    ['a `toJSON` further down', { deep: [{ er: { toJSON: () => long } }] }],
    ['an inherited `toJSON`', { inherited: Object.create({ toJSON: () => long }) }],
    ['a `toJSON` of a function', { run: Object.assign(() => {}, { toJSON: () => long }) }],
    ['a `toJSON` of the fields', { toJSON: () => long }],
    [
      'a getter',
      {
        get got() {
          return long
        },
      },
    ],
    [
      'a getter further down',
      {
        deep: {
          get got() {
            return long
          },
        },
      },
    ],
    [
      'a getter of a list',
      { list: Object.defineProperty([], 0, { get: () => long, enumerable: true }) },
    ],
    ['a text that tells another', { text: Object.assign(Object(''), { toString: () => long }) }],
    ['a proxy as prototype', { odd: Object.create(new Proxy({}, { get: () => () => long })) }],
    ['a large number', { number: 10n ** 100_000n }],
  ])('is cut where code of a field makes it long: %s', (_, fields) => {
    const written = cutLine('line', fields).fields
    expect(JSON.stringify({ ...written }).length).toBeLessThan(atMost)
  })

  it('has what code of its fields gives, asked once', () => {
    let asked = 0
    const fields = {
      at: new Date(0),
      url: new URL('http://x/'),
      order: { id: { toJSON: () => `id-${(asked += 1)}` }, items: [1] },
      get left() {
        return (asked += 1)
      },
    }
    const written = cutLine('line', fields).fields
    expect(asked).toBe(2)
    expect(JSON.stringify({ ...written })).toBe(
      '{"at":"1970-01-01T00:00:00.000Z","url":"http://x/","order":{"id":"id-2","items":[1]},"left":1}',
    )
    expect(asked).toBe(2)
  })

  it('is written, too, where code of a field throws', () => {
    const { fields } = cutLine('line', { id: 1, order: { toJSON: thrower }, items: [2] })
    expect(fields).toEqual({ id: 1, order: expect.stringContaining('toJSON'), items: [2] })
    const unreadable = Object.defineProperty({}, 'got', { get: thrower, enumerable: true })
    expect(cutLine('line', unreadable).fields).toEqual({
      unreadable: expect.stringContaining('not to be read'),
    })
  })

  it('has the stack of an error among its fields, or in their place', () => {
    const error = new Error('no card', { cause: new Error('no rows') })
    const told = expect.stringMatching(/^Error: no card\n {4}at [^]*cause\]: Error: no rows/)
    expect(cutLine('line', { error, id: 1 }).fields).toEqual({ error: told, id: 1 })
    expect(cutLine('line', { in: { error, id: 1 } }).fields).toEqual({ in: { error: told, id: 1 } })
    expect(cutLine('line', Object.assign(error)).fields).toEqual({ error: told })
  })
})
