import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { readBuildDirectory } from '../../src/build/build-directory.ts'
import { runDev } from '../../src/dev/run-dev.ts'
import { createRepository, functionFiles, type TestRepository } from '../repository.ts'
import { runCommand } from './run-command.ts'

// lint, types and tests start three programs
vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 })

/** Says how many items a page has, and to nobody but Ann how many of them are secret. */
const pageWith = (probes: { readonly import: string; readonly key: string }): string =>
  `import { defineFunction, HttpError } from '@needle-faas/runtime/function'
import * as z from 'zod/mini'
${probes.import}
export default defineFunction({
  input: z.object({ id: z.string(), tag: z.optional(z.union([z.string(), z.array(z.string())])) }),
  http: { method: 'GET', path: '/shop/page/:id' },
${probes.key}
  async handler({ id }, { request }) {
    if (id === 'none') throw new HttpError(404, 'NO_PAGE', 'There is no such page.')
    if (id === 'secret' && request.headers['authorization'] !== 'Ann') {
      throw new HttpError(401, 'WHO', 'Who asks?')
    }
    if (id === 'broken') throw new Error('broken')
    return { items: id.length }
  },
})
`
const quote = `import { defineFunction } from '@needle-faas/runtime/function'

export default defineFunction({
  http: { method: 'POST', path: '/shop/quote' },
  idempotent: true,
  handler: (input) => ({ input }),
})
`

let repository: TestRepository
let bff: Server
let base: string
let bffBase: string
const stop = new AbortController()
let dev: Promise<void>

beforeAll(async () => {
  repository = await createRepository({
    ...functionFiles('shop/page', pageWith({ import: '', key: '' })),
    ...functionFiles('shop/quote', quote),
    ...functionFiles('shop/order', `export default async () => ({ ordered: true })\n`),
  })
  let output = ''
  const print = (text: string): void => void (output += text)
  const io = { stdout: print, stderr: print, isTerminal: false, env: {}, signal: stop.signal }
  dev = runDev({ ...io, cwd: repository.directory }, { port: 0 })
  await vi.waitUntil(() => output.includes('Ctrl-C stops'), { timeout: 30_000 })
  base = /http:\/\/127\.0\.0\.1:\d+/.exec(output)?.[0] ?? ''
  bff = createServer((request, response) => void answerAsBff(request, response))
  bff.listen(0, '127.0.0.1')
  await once(bff, 'listening')
  const address = bff.address()
  bffBase = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
})

afterAll(async () => {
  bff.close()
  stop.abort()
  await dev
  await repository[Symbol.asyncDispose]()
})

/** A BFF: its functions lie below /api, and a hook of its own wants to know who asks. */
async function answerAsBff(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { authorization } = request.headers
  if (authorization === undefined) return void response.writeHead(401).end()
  const url = base + (request.url ?? '').replace('/api', '')
  const { status, headers } = await fetch(url, { headers: { authorization } })
  response.writeHead(status, Object.fromEntries(headers)).end()
}

const record = (...args: readonly string[]) =>
  runCommand(['probe', ...args], { cwd: repository.directory })

async function recorded(name: string): Promise<unknown> {
  const file = join(repository.directory, 'functions', name, 'probes.json')
  return JSON.parse(await readFile(file, 'utf8').catch(() => 'null')) as unknown
}

test('a call is kept as an example, with the status of its answer', async () => {
  const first = await record('shop/page', `${base}/shop/page/front%20page?tag=a&tag=b`)
  expect(first.exitCode).toBe(0)
  expect(first.stdout).toMatch(
    /^shop\/page@[0-9a-f]{12} answered 200; functions\/shop\/page\/probes\.json has 1 probe:/,
  )
  expect(first.stdout).toContain("import probes from './probes.json' with { type: 'json' }")
  await record('shop/page', `${base}/shop/page/none`, '--header', 'Accept-Language: de')
  const page = [
    { params: { id: 'front page' }, query: { tag: ['a', 'b'] }, expectStatus: 200 },
    { params: { id: 'none' }, headers: { 'accept-language': 'de' }, expectStatus: 404 },
  ]
  expect(await recorded('shop/page')).toEqual(page)

  const body = '{"lines":[{"sku":"p-1"}]}'
  const { json } = await record('shop/quote', `${base}/shop/quote`, '--body', body, '--json')
  expect(json()).toMatchObject({ count: 1, isImported: false, withheld: [], isSameWithout: null })
  const quoted = { body: { lines: [{ sku: 'p-1' }] }, expectStatus: 200 }
  expect(await recorded('shop/quote')).toEqual([quoted])

  // The same call again is the same example.
  await record('shop/quote', `${base}/shop/quote`, '--body', body)
  expect(await recorded('shop/quote')).toEqual([quoted])

  const imported = {
    import: `import probes from './probes.json' with { type: 'json' }\n`,
    key: '  probes,',
  }
  await repository.write({ 'functions/shop/page/index.ts': pageWith(imported) })
  const check = await runCommand(['check', '--all', '--json'], { cwd: repository.directory })
  expect(check.json()).toMatchObject({ issues: [] })
  await runCommand(['build', '--out', 'out'], { cwd: repository.directory })
  const { manifest } = await readBuildDirectory(join(repository.directory, 'out'))
  const built = manifest.functions.find(({ name }) => name === 'shop/page')
  expect(built).toMatchObject({ settings: { probes: page } })
  const again = await record(
    'shop/page',
    `${base}/shop/page/none`,
    '--header',
    'Accept-Language: de',
  )
  expect(again.stdout).not.toContain('import probes')
})

test('what proves who asks is sent and recorded nowhere, and the answer must not depend on it', async () => {
  const ann = ['--header', 'Authorization: Ann']
  const open = await record('shop/page', `${base}/shop/page/open`, ...ann)
  expect(open.stdout).toContain('Not recorded: authorization; without it the answer is the same')
  expect(JSON.stringify(await recorded('shop/page'))).not.toContain('Ann')

  const before = await recorded('shop/page')
  const secret = await record('shop/page', `${base}/shop/page/secret`, ...ann)
  expect(secret.exitCode).toBe(1)
  expect(secret.stderr).toContain('answers something else than 200 without authorization')
  expect(await recorded('shop/page')).toEqual(before)

  const behind = await record('shop/page', `${bffBase}/api/shop/page/behind`, ...ann)
  expect(behind.stdout).toContain('Not recorded: authorization; the host wants it')
  expect(await recorded('shop/page')).toContainEqual({
    params: { id: 'behind' },
    expectStatus: 200,
  })
})

test.each<[string, string[], string]>([
  [
    'a function that may not be called at any time',
    ['shop/order', '/shop/order'],
    'idempotent: true',
  ],
  ['an address of another function', ['shop/quote', '/shop/page/1'], 'its path is /shop/quote'],
  ['an answer of its fault', ['shop/page', '/shop/page/broken'], 'answers 500'],
  ['a body that is never read', ['shop/page', '/shop/page/1', '--body', '1'], 'is a GET'],
  [
    'a secret in the query',
    ['shop/page', '/shop/page/1?access_token=x'],
    '"access_token" looks like',
  ],
  [
    'a secret deep in the body',
    ['shop/quote', '/shop/quote', '--body', '{"a":[{"apiKey":"x"}]}'],
    '"apiKey" looks like',
  ],
  [
    'more than a probe may hold',
    ['shop/quote', '/shop/quote', '--body', `"${'x'.repeat(4096)}"`],
    '4096 bytes',
  ],
])('%s is no example', async (_, [name = '', path = '', ...more], why) => {
  const before = await recorded(name)
  const run = await record(name, base + path, ...more)
  expect([run.exitCode, run.stderr]).toEqual([1, expect.stringContaining('PROBE_REFUSED')])
  expect(run.stderr).toContain(why)
  expect(await recorded(name)).toEqual(before)
})

test('an answer that is not of the function is none', async () => {
  const stranger = await record('shop/page', `${bffBase}/api/shop/page/1`)
  expect([stranger.exitCode, stranger.stderr]).toEqual([
    1,
    expect.stringContaining('no function (it has no x-needle-revision) answers 401, not shop/page'),
  ])
  const nobody = await record('shop/page', 'http://127.0.0.1:1/shop/page/1')
  expect([nobody.exitCode, nobody.stderr]).toEqual([1, expect.stringContaining('does not answer')])
})

test.each<[string, string[], string]>([
  ['an address', ['shop/page', 'shop/page/1'], 'is no address'],
  ['a header', ['shop/page', 'http://127.0.0.1:1/', '--header', 'x'], '--header takes'],
  ['a body', ['shop/quote', 'http://127.0.0.1:1/', '--body', '{'], '--body takes JSON'],
])('%s that is none is told so', async (_, args, why) => {
  const run = await record(...args)
  expect([run.exitCode, run.stderr]).toEqual([2, expect.stringContaining(why)])
})

test('a file of probes that is none is left as it is, and so is a full one', async () => {
  const file = 'functions/shop/quote/probes.json'
  const path = join(repository.directory, file)
  await repository.write({ [file]: 'probes' })
  const broken = await record('shop/quote', `${base}/shop/quote`)
  expect([broken.exitCode, broken.stderr]).toEqual([
    1,
    expect.stringContaining('is no list of probes'),
  ])
  expect(await readFile(path, 'utf8')).toBe('probes')
  const ten = JSON.stringify(Array.from({ length: 10 }, (_, n) => ({ body: { n } })))
  await repository.write({ [file]: ten })
  const full = await record('shop/quote', `${base}/shop/quote`)
  expect([full.exitCode, full.stderr]).toEqual([1, expect.stringContaining('at most 10 probes')])
  expect(await readFile(path, 'utf8')).toBe(ten)
})
