import { expect, test } from 'vitest'
import type { Call } from './function/call.ts'
import type { StickyKeySource } from './manifest/sticky-key-source.ts'
import { createStickyKey } from './sticky-key.ts'

const callWith = (more: Partial<Call>): Call => ({
  requestId: 'r-1',
  method: 'GET',
  url: '/shop/card',
  headers: {},
  params: {},
  query: '',
  body: null,
  caller: {},
  ...more,
})

/** The host's type of it is the host's; here it is anything. */
const caller: object = { user: { id: 'by caller', number: 7, big: 8n, roles: ['a'], none: null } }

/** Everything that any source could be read from. */
const full = callWith({
  headers: {
    'x-user-id': 'by header',
    cookie: 'a=1; session="by%20cookie"; session=other; empty=',
    'x-needle-key': 'by needle header',
    'x-forwarded-for': '203.0.113.7, 10.0.0.1',
    'x-empty': '',
    'x-twice': ['one', 'two'],
  },
  caller,
  clientAddress: '10.0.0.1',
})

function keyOf(
  call: Call,
  source?: StickyKeySource,
  ofHost?: (call: Call) => unknown,
): { readonly key: string; readonly warnings: readonly string[] } {
  const warnings: string[] = []
  const stickyKey = createStickyKey({
    ofHost,
    log: { warn: (message, fields) => warnings.push(`${message}: ${String(fields?.['error'])}`) },
  })
  return { key: stickyKey(call, source), warnings }
}

test.each<[string, StickyKeySource, string]>([
  ['a header', { httpHeaderName: 'x-user-id' }, 'by header'],
  ['a header in any case', { httpHeaderName: 'X-User-Id' }, 'by header'],
  ['the first of a repeated header', { httpHeaderName: 'x-twice' }, 'one'],
  ['a cookie', { httpCookie: { name: 'session' } }, 'by cookie'],
  ['the caller', { caller: 'user.id' }, 'by caller'],
  ['a number of the caller', { caller: 'user.number' }, '7'],
  ['a bigint of the caller', { caller: 'user.big' }, '8'],
])('%s that the policy names goes before what the host says', (_what, source, key) => {
  expect(keyOf(full, source, () => 'by host')).toEqual({ key, warnings: [] })
})

test.each<[string, StickyKeySource]>([
  ['a header that is absent', { httpHeaderName: 'x-none' }],
  ['a header that is empty', { httpHeaderName: 'x-empty' }],
  ['a header named like what every object has', { httpHeaderName: 'constructor' }],
  ['a cookie that is absent', { httpCookie: { name: 'none' } }],
  ['a cookie that is empty', { httpCookie: { name: 'empty' } }],
  ['a caller without it', { caller: 'user.name' }],
  ['a caller that is not that deep', { caller: 'user.none.id' }],
  ['a path through text', { caller: 'user.id.length' }],
  ['an object of the caller', { caller: 'user' }],
  ['a list of the caller', { caller: 'user.roles' }],
  ['a kind of source from a later version', {}],
])('%s leaves it to the host', (_what, source) => {
  expect(keyOf(full, source, () => 'by host')).toEqual({ key: 'by host', warnings: [] })
})

test('without a policy the host says', () => {
  expect(keyOf(full, undefined, () => 'by host').key).toBe('by host')
})

test.each<[string, () => unknown]>([
  ['nothing', () => undefined],
  ['empty text', () => ''],
  ['an object', () => ({})],
])('a host that says %s leaves it to the header', (_what, ofHost) => {
  expect(keyOf(full, { httpHeaderName: 'x-none' }, ofHost).key).toBe('by needle header')
})

test.each<[string, Partial<Call>, string]>([
  ['x-needle-key', { headers: full.headers }, 'by needle header'],
  [
    'the first forwarded address',
    { headers: { 'x-forwarded-for': '203.0.113.7, 10.0.0.1' } },
    '203.0.113.7',
  ],
  ['the address', { clientAddress: '10.0.0.1' }, '10.0.0.1'],
  ['the request, which sticks to nothing', {}, 'r-1'],
])('in the end it is %s', (_what, more, key) => {
  expect(keyOf(callWith(more)).key).toBe(key)
})

const throws = (): never => {
  throw new Error('no session')
}

test('what throws is told, and the next key is used', () => {
  const broken = Object.defineProperty({}, 'id', { get: throws })
  expect(keyOf(callWith({ ...full, caller: broken }), { caller: 'id' }, throws)).toEqual({
    key: 'by needle header',
    warnings: [
      "The caller that a rollout's stickyKey names threw; the next sticky key there is was used: Error: no session",
      'The stickyKey option threw; the next sticky key there is was used: Error: no session',
    ],
  })
})
