import { Agent, request } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { createSeededRandom } from '../seeded-random.ts'
import type { FleetFunction } from './fleet-functions.ts'

/** What users met since the last look. */
export interface LoadCount {
  requests: number
  /** Answers that were no success, by function. */
  failed: Record<FleetFunction, number>
  /** Answers that stable gave for a canary that had failed. */
  fallbacks: number
}

/** Users of the BFFs of a fleet: requests that arrive at random, each from another user. */
export interface FleetLoad {
  /** Counts since the last call. */
  take(): LoadCount
  stop(): Promise<void>
}

export function startFleetLoad(options: {
  readonly ports: readonly number[]
  readonly ratePerSecond: number
  readonly seed: number
}): FleetLoad {
  const { ports, ratePerSecond } = options
  const random = createSeededRandom(options.seed)
  const agent = new Agent({ keepAlive: true, maxSockets: 64 })
  const stopped = new AbortController()
  const underWay = new Set<Promise<void>>()
  let count = emptyCount()
  let user = 0

  const ask = async (): Promise<void> => {
    user += 1
    const name: FleetFunction = random() < 0.5 ? 'card' : 'order'
    const port = ports[Math.floor(random() * ports.length)] ?? 0
    const { status, isFallback } = await send(agent, port, name, `user-${user}`)
    count.requests += 1
    if (status < 200 || status > 299) count.failed[name] += 1
    if (isFallback) count.fallbacks += 1
  }

  const run = async (): Promise<void> => {
    let due = performance.now()
    while (!stopped.signal.aborted) {
      due += (-Math.log(1 - random()) * 1000) / ratePerSecond
      const waitMs = due - performance.now()
      if (waitMs > 1) await delay(waitMs)
      const asked = ask()
      underWay.add(asked)
      void asked.finally(() => underWay.delete(asked))
    }
    await Promise.all(underWay)
  }
  const running = run()

  return {
    take: () => {
      const taken = count
      count = emptyCount()
      return taken
    },
    stop: async () => {
      stopped.abort()
      await running
      agent.destroy()
    },
  }
}

function emptyCount(): LoadCount {
  return { requests: 0, failed: { card: 0, order: 0 }, fallbacks: 0 }
}

interface Answered {
  /** 0 when there was no answer. */
  readonly status: number
  readonly isFallback: boolean
}

function send(agent: Agent, port: number, name: FleetFunction, key: string): Promise<Answered> {
  const body = name === 'order' ? JSON.stringify({ id: key }) : ''
  const path = name === 'order' ? '/api/fleet/order' : `/api/fleet/card/${key}`
  return new Promise((resolve) => {
    const sent = request(
      {
        agent,
        port,
        host: '127.0.0.1',
        path,
        method: name === 'order' ? 'POST' : 'GET',
        headers: {
          'x-needle-key': key,
          ...(body !== '' && { 'content-type': 'application/json' }),
        },
      },
      (response) => {
        response.resume()
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            isFallback: response.headers['x-needle-fallback'] !== undefined,
          }),
        )
      },
    )
    sent.on('error', () => resolve({ status: 0, isFallback: false }))
    sent.end(body)
  })
}
