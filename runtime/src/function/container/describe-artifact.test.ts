import { describe, expect, it } from 'vitest'
import { artifactOf, bundle } from '../testing/revision-fixture.ts'
import { composeSettings } from './compose-settings.ts'
import { describeArtifact } from './describe-artifact.ts'

const describeSource = (source: string) => describeArtifact(source, { functionName: 'shop/card' })
const describeFunction = async (definition: string, zod = 'zod/mini') =>
  describeSource(
    (await bundle(`import * as z from '${zod}'; export default { handler() {}, ${definition} }`))
      .source,
  )

const otherSchema = (extra: string) =>
  artifactOf(`{ handler() {}, input: { '~standard': { version: 1, vendor: 'other',
    validate: (value) => ({ value }), ${extra} } } }`)

describe('declared settings', () => {
  it('are read as they are written, cut loose from the container', () => {
    const { declared, contract } = describeSource(
      artifactOf(`{ http: { method: 'GET', path: '/card/:id' }, uses: ['price'], timeoutMs: 800,
        idempotent: false, maxBodyBytes: 10, maxConcurrency: 3, handler() {} }`),
    )
    expect(declared).toStrictEqual({
      http: { method: 'GET', path: '/card/:id' },
      uses: ['price'],
      timeoutMs: 800,
      idempotent: false,
      maxBodyBytes: 10,
      maxConcurrency: 3,
    })
    expect(contract).toEqual({ input: null, output: null, unexpressed: [] })
  })

  it('are none for a plain function', () => {
    expect(describeSource(artifactOf('async () => 1')).declared).toEqual({})
  })

  it.each([
    ['an unknown key', `{ handler() {}, timeout: 5 }`, /"timeout"/],
    ['an unknown key of http', `{ handler() {}, http: { verb: 'GET' } }`, /"http": .*"verb"/],
    ['a missing handler', `{ timeoutMs: 5 }`, /"handler": must be a function/],
    ['a handler that is none', `{ handler: 5 }`, /"handler": must be a function/],
    ['a method that is none', `{ handler() {}, http: { method: 'get' } }`, /"http.method"/],
    ['a timeout of no length', `{ handler() {}, timeoutMs: 0 }`, /"timeoutMs"/],
    ['a service that is no name', `{ handler() {}, uses: [1] }`, /"uses.0"/],
    [
      'an unknown key of a probe',
      `{ handler() {}, idempotent: true, probes: [{ param: {} }] }`,
      /"probes.0": .*"param"/,
    ],
    [
      'a probe that is no JSON',
      `{ handler() {}, idempotent: true, probes: [{ body: { at: new Date(0) } }] }`,
      /"probes.0.body/,
    ],
    [
      'an input that is no schema',
      `{ handler() {}, input: {} }`,
      /"input": must be a Standard Schema/,
    ],
    ['an export that is no definition', `'text'`, /shop\/card/],
  ])('%s is refused by name', (_title, definition, message) => {
    expect(() => describeSource(artifactOf(definition))).toThrow(
      expect.objectContaining({
        code: 'FUNCTION_BAD_DEFINITION',
        message: expect.stringMatching(message),
      }),
    )
  })
})

describe.each(['zod/mini', 'zod'])('contract of %s', (zod) => {
  it('describes input as it is sent and output as it goes over the wire', async () => {
    const { contract } = await describeFunction(
      `input: z.object({ n: z._default(z.int(), 1), text: z.pipe(z.string(), z.transform((s) => s.length)) }),
       output: z.object({ at: z.iso.datetime(), list: z.array(z.nullable(z.string())) })`.replaceAll(
        'z._default',
        zod === 'zod' ? 'z._default' : 'z._default',
      ),
      zod,
    )
    expect(contract.input).toMatchObject({
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      properties: { n: { type: 'integer', default: 1 }, text: { type: 'string' } },
      required: ['text'],
    })
    expect(contract.output).toMatchObject({
      properties: { at: { type: 'string', format: 'date-time' } },
      required: ['at', 'list'],
      additionalProperties: false,
    })
    expect(contract.unexpressed).toEqual([])
  })

  it('lists what JSON Schema cannot say, with its place', async () => {
    const { contract } = await describeFunction(
      `input: z.object({
         id: z.string().check(z.minLength(2), z.refine((v) => v !== 'x'), z.trim()),
         lines: z.array(z.object({ cents: z.int().check(z.refine((v) => v % 5 === 0)) })),
       }).check(z.refine(() => true))`,
      zod,
    )
    expect(contract.unexpressed).toEqual([
      'input.id: overwrite',
      'input.id: refine',
      'input.lines[].cents: refine',
      'input: refine',
    ])
  })

  it.each([
    ['a date', 'input', 'z.object({ a: z.object({ at: z.date() }) })', /input\.a\.at \(date\)/],
    ['a bigint in a list', 'output', 'z.array(z.bigint())', /output\[\] \(bigint\)/],
    [
      'a transform on the way out',
      'output',
      'z.object({ n: z.pipe(z.string(), z.transform((s) => s.length)) })',
      /output\.n \(transform\)/,
    ],
  ])('refuses %s with its place', async (_title, side, schema, message) => {
    await expect(describeFunction(`${side}: ${schema}`, zod)).rejects.toMatchObject({
      code: 'FUNCTION_SCHEMA_INEXPRESSIBLE',
      message: expect.stringMatching(message),
    })
  })

  it('keeps descriptions', async () => {
    const text =
      zod === 'zod'
        ? `z.string().describe('the id')`
        : `z.string().register(z.globalRegistry, { description: 'the id' })`
    const { contract } = await describeFunction(`input: z.object({ id: ${text} })`, zod)
    expect(contract.input).toMatchObject({ properties: { id: { description: 'the id' } } })
  })
})

describe('contract of another library', () => {
  it('comes from its Standard JSON Schema', () => {
    const { contract } = describeSource(
      otherSchema(
        `jsonSchema: { input: ({ target }) => ({ type: 'string', $comment: target }), output() {} }`,
      ),
    )
    expect(contract.input).toStrictEqual({ type: 'string', $comment: 'draft-2020-12' })
  })

  it('is null and listed when there is none', () => {
    const { contract } = describeSource(otherSchema(''))
    expect(contract).toEqual({
      input: null,
      output: null,
      unexpressed: ['input: other offers no JSON Schema'],
    })
  })

  it('is refused when the library cannot express it', () => {
    expect(() =>
      describeSource(otherSchema(`jsonSchema: { input() { throw new Error('no') } }`)),
    ).toThrow(expect.objectContaining({ code: 'FUNCTION_SCHEMA_INEXPRESSIBLE' }))
  })
})

describe('settings', () => {
  it('complete what a function leaves out', () => {
    expect(composeSettings('shop/card', {})).toEqual({
      http: { method: 'POST', path: '/shop/card' },
      uses: [],
      timeoutMs: 3000,
      idempotent: false,
      maxBodyBytes: 1024 * 1024,
      maxConcurrency: 256,
    })
  })

  it('put the declaration over the policy over the defaults', () => {
    const policy = { timeoutMs: 1000, maxConcurrency: 5 }
    const settings = composeSettings('shop/card', { timeoutMs: 700, uses: ['b', 'a', 'b'] }, policy)
    expect(settings).toMatchObject({ timeoutMs: 700, maxConcurrency: 5, uses: ['a', 'b'] })
  })

  it('take a GET as idempotent unless it says otherwise', () => {
    const get = { http: { method: 'GET' } } as const
    expect(composeSettings('shop/card', get).idempotent).toBe(true)
    expect(composeSettings('shop/card', { ...get, idempotent: false }).idempotent).toBe(false)
  })

  it.each([
    '/card/:id',
    '/card/:id/*',
    '/card/:id(^\\d+$)',
    '/at/:hour(^\\d+)h:minute(^\\d+)m',
    '/a/:b?',
  ])('accept the path %s', (path) => {
    expect(composeSettings('shop/card', { http: { path } }).http.path).toBe(path)
  })

  it.each([
    ['card', /must start with "\/"/],
    ['/card?a=1', /without query/],
    ['/card/:id/item/:id', /"id" twice/],
    ['/card/:__proto__', /__proto__/],
    ['/card/*/more', /is no route/],
    ['/card/:id((a+)+$)', /is no route/],
  ])('refuse the path %s', (path, message) => {
    expect(() => composeSettings('shop/card', { http: { path } })).toThrow(
      expect.objectContaining({
        code: 'FUNCTION_BAD_DEFINITION',
        message: expect.stringMatching(message),
      }),
    )
  })

  const get = { http: { method: 'GET', path: '/card/:id/:size?' } } as const

  it('carry probes as they are declared, cut loose from the container', () => {
    const { declared } = describeSource(
      artifactOf(`{ http: { method: 'GET', path: '/card/:id' }, handler() {}, probes: [
        { params: { id: 'p-1' }, query: { tag: ['a', 'b'] }, headers: { accept: '*/*' } },
        { params: { id: 'none' }, body: { deep: [1, null] }, expectStatus: 404 } ] }`),
    )
    expect(composeSettings('shop/card', declared).probes).toStrictEqual([
      { params: { id: 'p-1' }, query: { tag: ['a', 'b'] }, headers: { accept: '*/*' } },
      { params: { id: 'none' }, body: { deep: [1, null] }, expectStatus: 404 },
    ])
    expect(composeSettings('shop/card', {})).not.toHaveProperty('probes')
  })

  it.each([
    ['of a function that must not be called twice', { probes: [{}] }, /idempotent: true/],
    ['without a parameter of the path', { ...get, probes: [{}] }, /probes.0.params.* lacks "id"/],
    [
      'with a parameter the path does not have',
      { ...get, probes: [{ params: { id: '1', name: 'x' } }] },
      /has "name"/,
    ],
    [
      'that are too many',
      { ...get, probes: Array.from({ length: 11 }, () => ({ params: { id: '1' } })) },
      /"probes"/,
    ],
    ['that are too long', { ...get, probes: [{ params: { id: 'x'.repeat(5000) } }] }, /4096 bytes/],
  ])('refuse probes %s', (_title, declared, message) => {
    expect(() => composeSettings('shop/card', declared)).toThrow(
      expect.objectContaining({
        code: 'FUNCTION_BAD_DEFINITION',
        message: expect.stringMatching(message),
      }),
    )
  })

  it('refuse what is beyond the platform', () => {
    expect(() => composeSettings('shop/card', { timeoutMs: 10_000_000 })).toThrow(/"timeoutMs"/)
  })
})
