import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { canonicalJson } from './canonical-json.ts'

it('sorts members at every depth and leaves arrays in order', () => {
  expect(canonicalJson({ b: [{ d: 1, c: 2 }], a: 'x', aa: null })).toBe(
    '{"a":"x","aa":null,"b":[{"c":2,"d":1}]}',
  )
})

it('writes the example of RFC 8785, 3.2.2, as the RFC does', () => {
  const value = {
    numbers: [333333333.3333333, 1e30, 4.5, 2e-3, 0.000000000000000000000000001],
    string: '€$\u000F\u000aA\'\u0042\u0022\u005c\\"/',
    literals: [null, true, false],
  }
  expect(canonicalJson(value)).toBe(
    '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
  )
})

it('is the same whatever order the members came in', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
      const reversed = Object.fromEntries(Object.entries(value).toReversed())
      expect(canonicalJson(reversed)).toBe(canonicalJson(value))
      expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)))
    }),
  )
})

it('refuses what JSON cannot hold', () => {
  expect(() => canonicalJson({ n: Number.NaN })).toThrow(TypeError)
  expect(() => canonicalJson([() => 1])).toThrow(TypeError)
})
