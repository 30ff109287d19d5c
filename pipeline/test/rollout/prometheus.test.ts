import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { createServer as createTcpServer, type Server } from 'node:net'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test, vi } from 'vitest'
import type { Decision } from '../../src/rollout/decision.ts'
import { readMetric } from '../../src/rollout/read-metric.ts'
import { createFleetUnderTest, minute } from './fleet-under-test.ts'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

const isInstalled = spawnSync('prometheus', ['--version']).status === 0

describe('a real Prometheus', () => {
  test('is asked for one number, and its other answers hold', async (context) => {
    context.skip(!isInstalled, 'needs the package: apt-get install prometheus')
    await using prometheus = await startPrometheus()
    const { url } = prometheus
    // It scrapes itself; the first scrape takes a moment.
    await vi.waitFor(
      async () => expect(await readMetric(url, 'sum(up)')).toEqual({ status: 'value', value: 1 }),
      { timeout: 30_000, interval: 200 },
    )
    expect(await readMetric(url, '40 + 2')).toEqual({ status: 'value', value: 42 })
    expect(await readMetric(url, 'no_such_series')).toMatchObject({
      status: 'empty',
      message: expect.stringContaining('no number'),
    })
    const two = 'vector(1) or label_replace(vector(2), "side", "b", "", "")'
    expect(await readMetric(url, two)).toMatchObject({
      status: 'empty',
      message: expect.stringContaining('2 numbers'),
    })
    expect(await readMetric(url, '0 / 0')).toMatchObject({ status: 'empty' })
    expect(await readMetric(url, 'sum(')).toMatchObject({
      status: 'failed',
      message: expect.stringContaining('parse error'),
    })
    expect(await decide(url, 'vector(0.5)')).toMatchObject({
      kind: 'step',
      evidence: { metric: 0.5 },
    })
    expect(await decide(url, 'vector(1.5)')).toMatchObject({ kind: 'abort', verdict: 'failed' })
    const named = 'nothing{function="$function", canary="$canary", stable="$stable"}'
    const unanswered = await decide(url, named)
    expect(unanswered).toMatchObject({ kind: 'hold', verdict: 'inconclusive' })
    expect(unanswered?.text).toMatch(
      /no number to: nothing\{function="shop\/card", canary="[0-9a-f]{12}", stable="[0-9a-f]{12}"\}/,
    )

    await prometheus.stop()
    expect(await decide(url, 'vector(0.5)')).toMatchObject({ kind: 'hold', verdict: 'error' })
    expect(await readMetric(url, '1')).toMatchObject({
      status: 'failed',
      message: expect.stringContaining('ECONNREFUSED'),
    })
  })
})

test('something else that answers is no measurement', async () => {
  const server = createServer((_request, response) => response.end('<h1>Welcome</h1>'))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const port = portOf(server)
  try {
    expect(await readMetric(`http://127.0.0.1:${port}`, '1')).toMatchObject({ status: 'failed' })
  } finally {
    server.close()
  }
})

/** What a controller decides of a canary that did well everywhere, with a policy of at most 1. */
async function decide(url: string, query: string): Promise<Decision | undefined> {
  const fleet = await createFleetUnderTest()
  await fleet.publish({ 'shop/card': 'card 1' })
  await fleet.publish({ 'shop/card': 'card 2' }, { policy: { prometheus: { query, max: 1 } } })
  fleet.pass(6 * minute)
  const counts = { calls: 500, faults: 0, slow: 0 }
  await fleet.report('one', { stable: counts, canary: counts })
  const { decisions } = await fleet.controller(fleet.store, { prometheus: url }).round()
  return decisions[0]
}

interface RunningPrometheus extends AsyncDisposable {
  readonly url: string
  stop(): Promise<void>
}

async function startPrometheus(): Promise<RunningPrometheus> {
  const directory = await mkdtemp(join(tmpdir(), 'needle-prometheus-'))
  const port = await freePort()
  const config = join(directory, 'prometheus.yml')
  await writeFile(
    config,
    `global: { scrape_interval: 1s }
scrape_configs:
  - job_name: self
    static_configs: [{ targets: ['127.0.0.1:${port}'] }]
`,
  )
  const child = spawn(
    'prometheus',
    [
      `--config.file=${config}`,
      `--storage.tsdb.path=${join(directory, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    { stdio: 'ignore' },
  )
  const stop = (): Promise<void> => end(child)
  return {
    url: `http://127.0.0.1:${port}`,
    stop,
    [Symbol.asyncDispose]: async () => {
      await stop()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill()
  await ended
}

function portOf(server: Server): number {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('it listens on no port')
  return address.port
}

async function freePort(): Promise<number> {
  const server = createTcpServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const port = portOf(server)
  server.close()
  await once(server, 'close')
  return port
}
