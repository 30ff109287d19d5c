import { describe, expect, it } from 'vitest'
import { cutLine, maxLineCharacters } from './cut-line.ts'

const long = 'x'.repeat(10_000_000)
/** Marks, names and the text of what was cut come on top. */
const atMost = maxLineCharacters + 1000

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
})
