import { setTimeout as delay } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { runDev } from '../../src/dev/run-dev.ts'
import { createRepository, type TestRepository } from '../repository.ts'

const answers = (text: string): string => `
import { defineFunction } from '@needle-faas/runtime/function'

export default defineFunction({
  http: { method: 'GET', path: '/shop/word' },
  handler: () => ({ text: '${text}' }),
})
`

let repository: TestRepository
let stop: AbortController
let running: Promise<void>
let output: string

async function start(): Promise<void> {
  stop = new AbortController()
  output = ''
  const print = (text: string): void => void (output += text)
  running = runDev(
    {
      stdout: print,
      stderr: print,
      isTerminal: false,
      cwd: repository.directory,
      env: {},
      signal: stop.signal,
    },
    { port: 0 },
  )
  await eventually(() => output.includes('Ctrl-C stops'))
}

/** The whole path is real here, so it is waited for; the longest wait only matters on failure. */
async function eventually(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 500; tries++) {
    if (await holds()) return
    await delay(20)
  }
  throw new Error(`It did not come to pass. Printed so far:\n${output}`)
}

async function get(path = '/shop/word'): Promise<{ status: number; body: unknown }> {
  const base = /http:\/\/127\.0\.0\.1:\d+/.exec(output)?.[0]
  const response = await fetch(`${base}${path}`)
  return { status: response.status, body: await response.json() }
}

beforeEach(async () => {
  repository = await createRepository({
    'functions/shop/word/index.ts': answers('one'),
    'functions/shop/word/index.test.ts': '',
    'functions/shop/word/README.md': '# shop/word\n',
  })
})

afterEach(async () => {
  stop.abort()
  await running
  await repository[Symbol.asyncDispose]()
})

describe('needle dev', { timeout: 30_000 }, () => {
  test('lists routes as requests to copy, and serves them', async () => {
    await start()
    expect(output).toMatch(/curl 'http:\/\/127\.0\.0\.1:\d+\/shop\/word'/)
    expect(await get()).toEqual({ status: 200, body: { text: 'one' } })
  })

  test('serves what was saved last, replaced files included', async () => {
    await start()
    await repository.write({ 'functions/shop/word/index.ts': answers('two') })
    await eventually(async () => isDeepStrictEqual((await get()).body, { text: 'two' }))
    await repository.write({ 'functions/shop/word/index.ts': null })
    await repository.write({ 'functions/shop/word/index.ts': answers('three') })
    await eventually(async () => isDeepStrictEqual((await get()).body, { text: 'three' }))
    expect(output).toContain('shop/word reloaded in')
  })

  test('says in the terminal and in the response why a function does not build, until it does', async () => {
    await start()
    await repository.write({
      'functions/shop/word/index.ts': `${answers('two')}\nconst broken = (`,
    })
    await eventually(() => output.includes('FUNCTION_SYNTAX'))
    expect(output).toMatch(/functions\/shop\/word\/index\.ts:\d+/)
    expect(await get()).toMatchObject({ status: 500, body: { error: { code: 'FUNCTION_SYNTAX' } } })
    await repository.write({ 'functions/shop/word/index.ts': answers('two') })
    await eventually(async () => (await get()).status === 200)
  })

  test('serves a function of a group that was not there at the start', async () => {
    await start()
    await repository.write({
      'functions/account/word/index.ts': answers('new').replace('/shop/word', '/account/word'),
    })
    await eventually(async () => {
      const answer = await get('/account/word').catch(() => null)
      return answer?.status === 200
    })
    expect(await get()).toEqual({ status: 200, body: { text: 'one' } })
  })

  test('meets the services of dev-services.ts, and says which one is lacking', async () => {
    await repository.write({
      'functions/needle.config.ts': `import { defineConfig } from '@needle-faas/pipeline'
export default defineConfig({
  environments: {
    production: { store: 'file:.needle/store', trust: 'trust.json', services: ['words'] },
  },
})
`,
      'functions/shop/word/index.ts': `
export default {
  http: { method: 'GET', path: '/shop/word' },
  uses: ['words'],
  handler: (_input: unknown, { services }: any) => ({ text: services.words.next() }),
}
`,
    })
    await start()
    expect(output).toContain('SERVICE_NOT_OFFERED')
    expect(await get()).toMatchObject({ body: { error: { code: 'SERVICE_NOT_OFFERED' } } })
    await repository.write({
      'functions/dev-services.ts': "export default { words: { next: () => 'from a service' } }\n",
    })
    await eventually(async () => {
      const answer = await get().catch(() => null)
      return answer?.status === 200
    })
    expect(await get()).toEqual({ status: 200, body: { text: 'from a service' } })
  })
})
