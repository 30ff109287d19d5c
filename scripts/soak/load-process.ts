/**
 * Constant load on all probes, a process of its own. The parent announces each version before it is
 * published (`SoakOrder`) and hears when it is seen live; told to finish it lets the open requests
 * end and sends its `SoakReport`.
 */
import { Agent, request } from 'node:http'
import { createHistogram } from 'node:perf_hooks'
import { text } from 'node:stream/consumers'
import { firstVersion, type ProbeName, probeNames, probes, readVersion } from './probes.ts'
import { createVersionLine } from './version-line.ts'

export type SoakOrder =
  | { readonly kind: 'start'; readonly port: number; readonly ratePerSecond: number }
  | { readonly kind: 'announce'; readonly probe: ProbeName; readonly version: string }
  | { readonly kind: 'finish' }

export interface SoakReport {
  readonly kind: 'report'
  readonly requests: number
  readonly failed: number
  /** What the first failures were, at most ten. */
  readonly failures: readonly string[]
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
}

const agent = new Agent({ keepAlive: true, maxSockets: 256 })
const latency = createHistogram({ figures: 3 })
const lines = {
  card: createVersionLine(firstVersion),
  order: createVersionLine(firstVersion),
  feed: createVersionLine(firstVersion),
}
const open = new Set<Promise<void>>()
const failures: string[] = []
let requests = 0
let failed = 0
let timer: NodeJS.Timeout | undefined

process.on('message', (order: SoakOrder) => {
  switch (order.kind) {
    case 'start':
      start(order.port, order.ratePerSecond)
      break
    case 'announce':
      lines[order.probe].announce(order.version)
      break
    case 'finish':
      void finish()
      break
  }
})
process.on('disconnect', () => process.exit(0))

function start(port: number, ratePerSecond: number): void {
  const began = performance.now()
  timer = setInterval(() => {
    const due = ((performance.now() - began) / 1000) * ratePerSecond
    while (requests < due) {
      const nonce = requests++
      const name = probeNames[nonce % probeNames.length] ?? 'card'
      const exchange = ask(port, name, nonce).catch((error: unknown) => {
        failed++
        if (failures.length < 10) failures.push(`${name} #${nonce}: ${String(error)}`)
      })
      open.add(exchange)
      void exchange.finally(() => open.delete(exchange))
    }
  }, 5)
}

async function ask(port: number, name: ProbeName, nonce: number): Promise<void> {
  const begun = lines[name].begin()
  const startedAt = performance.now()
  const { status, body } = await exchange(port, name, nonce)
  latency.record(Math.max(1, Math.round((performance.now() - startedAt) * 1e6)))
  if (status !== 200) throw new Error(`status ${status}: ${body.slice(0, 200)}`)
  const version = readVersion(name, nonce, body)
  if (version === null) throw new Error(`torn answer: ${body.slice(0, 400)}`)
  const acceptance = lines[name].accept(begun, version)
  if (acceptance === 'wrong') throw new Error(`answered by ${version}, which should not serve now`)
  if (acceptance === 'live') process.send?.({ kind: 'live', probe: name, version })
}

function exchange(
  port: number,
  name: ProbeName,
  nonce: number,
): Promise<{ status: number | undefined; body: string }> {
  const { method, path, body } = { body: undefined, ...probes[name].request(nonce) }
  return new Promise((resolve, reject) => {
    const outgoing = request({
      agent,
      host: '127.0.0.1',
      port,
      method,
      path: `/api${path}`,
      timeout: 10_000,
      ...(body !== undefined && {
        headers: { 'content-type': 'application/json', 'content-length': body.length },
      }),
    })
    outgoing.once('timeout', () => outgoing.destroy(new Error('no answer within 10 s')))
    outgoing.once('error', reject)
    outgoing.once('response', (response) => {
      text(response).then((body) => resolve({ status: response.statusCode, body }), reject)
    })
    outgoing.end(body)
  })
}

async function finish(): Promise<void> {
  clearInterval(timer)
  await Promise.all(open)
  agent.destroy()
  const report: SoakReport = {
    kind: 'report',
    requests,
    failed,
    failures,
    p50Ms: latency.percentile(50) / 1e6,
    p99Ms: latency.percentile(99) / 1e6,
    maxMs: latency.max / 1e6,
  }
  process.send?.(report)
}
