import { describe, expect, it } from 'vitest'
import type { Call } from './call.ts'
import { compileArtifact } from './container/compile-artifact.ts'
import { createContainer } from './container/create-container.ts'
import { readInput } from './read-input.ts'
import { artifactOf, toCall } from './testing/revision-fixture.ts'

const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }
const revision = 'shop/card@0'
const { realm } = createContainer(
  compileArtifact(Buffer.from(artifactOf('() => 1')), revision, null),
  {
    revision,
    log: silent,
  },
)
const read = (parts: Partial<Call>, maxBodyBytes = 1000) => {
  const result = readInput(toCall(parts), realm, maxBodyBytes)
  return result.refused === null ? { input: result.input } : result.refused
}
const accept = (parts: Partial<Call>) => {
  const result = readInput(toCall(parts), realm, 1000)
  if (result.refused !== null) throw new Error(result.refused.message)
  return result
}
const form = { 'content-type': 'application/x-www-form-urlencoded' }
const text = { 'content-type': 'text/plain; charset=utf-8' }

describe('accepted input', () => {
  it.each<[string, Partial<Call>, unknown]>([
    ['is an empty object when nothing is given', {}, {}],
    ['takes path parameters as strings', { params: { id: '7' } }, { id: '7' }],
    ['adds the query to the path', { params: { id: '7' }, query: 'a=1' }, { id: '7', a: '1' }],
    ['decodes the query', { query: 'a=%C3%A4+b' }, { a: 'ä b' }],
    ['makes an array of a repeated query key', { query: 'a=1&a=2' }, { a: ['1', '2'] }],
    ['adds the fields of the body', { params: { id: '7' }, body: '{"n":1}' }, { id: '7', n: 1 }],
    ['is the array a body holds alone', { body: '[1]' }, [1]],
    ['is the scalar a body holds alone', { body: 'null' }, null],
    ['treats an empty body as none', { body: '' }, {}],
    ['reads bytes as UTF-8', { body: Buffer.from('{"a":"ä"}') }, { a: 'ä' }],
    ['reads JSON without a content type', { headers: {}, body: '{"a":1}' }, { a: 1 }],
    [
      'reads structured JSON types',
      { headers: { 'content-type': 'application/problem+json; charset=UTF-8' }, body: '{}' },
      {},
    ],
    [
      'reads form fields like a query',
      { headers: form, body: 'a=1&b=2&b=3' },
      { a: '1', b: ['2', '3'] },
    ],
    ['takes text as a string', { headers: text, body: '{"a":1}' }, '{"a":1}'],
  ])('%s', (_title, parts, input) => {
    expect(read(parts)).toEqual({ input })
  })

  it('belongs to the realm of the function', () => {
    const { input } = accept({ query: 'a=1&a=2' })
    expect(input).not.toBeInstanceOf(Object)
    expect(Object.values(Object(input))[0]).not.toBeInstanceOf(Array)
    expect(Object.values(Object(input))[0]).toSatisfy(Array.isArray)
  })

  it.each<[string, Partial<Call>]>([
    ['query', { query: '__proto__=a&__proto__=b&x=1' }],
    ['body', { body: '{"__proto__":{"admin":true},"x":"1"}' }],
    ['escaped body', { body: String.raw`{"\u005f_proto__":{"admin":true},"x":"1"}` }],
    ['merged body', { params: { y: '1' }, body: '{"__proto__":{"admin":true},"x":"1"}' }],
    ['form', { headers: form, body: '__proto__=a&__proto__=b&x=1' }],
  ])('has no __proto__ from a %s', (_title, parts) => {
    const { input } = accept(parts)
    expect(input).toHaveProperty('x', '1')
    expect(Object.keys(Object(input))).not.toContain('__proto__')
    expect(Object.getPrototypeOf(input)).toBe(Object.getPrototypeOf(realm.createObject()))
  })
})

describe('refused input', () => {
  it.each<[string, Partial<Call>, object]>([
    [
      'a query key that redefines a path parameter',
      { params: { id: '7' }, query: 'id=8' },
      { status: 400, code: 'INPUT_REDEFINED', extra: { details: [{ path: 'id' }] } },
    ],
    [
      'a body key that redefines a path parameter',
      { params: { id: '7' }, body: '{"id":"8"}' },
      { status: 400, code: 'INPUT_REDEFINED', extra: { details: [{ path: 'id' }] } },
    ],
    [
      'a body key that redefines the query',
      { query: 'a=1', body: '{"a":1}' },
      { code: 'INPUT_REDEFINED' },
    ],
    [
      'a body that is no object beside a query',
      { query: 'a=1', body: '[1]' },
      { status: 400, code: 'INPUT_INVALID' },
    ],
    ['a body that is not JSON', { body: '{"a":' }, { status: 400, code: 'BODY_NOT_JSON' }],
    ['a body that is not UTF-8', { body: Buffer.from([0xff, 0xfe]) }, { code: 'BODY_NOT_JSON' }],
    [
      'a body one byte too long in UTF-8',
      { body: `"${'ä'.repeat(500)}"` },
      { status: 413, code: 'BODY_TOO_LARGE' },
    ],
    ['bytes over the limit', { body: Buffer.alloc(1001) }, { status: 413, code: 'BODY_TOO_LARGE' }],
    [
      'a multipart body',
      { headers: { 'content-type': 'multipart/form-data' }, body: 'x' },
      { status: 415, code: 'BODY_UNSUPPORTED_TYPE' },
    ],
    [
      'another character set',
      { headers: { 'content-type': 'application/json; charset=latin1' }, body: '{}' },
      { status: 415, code: 'BODY_UNSUPPORTED_TYPE' },
    ],
  ])('%s', (_title, parts, refused) => {
    expect(read(parts)).toMatchObject(refused)
  })
})
