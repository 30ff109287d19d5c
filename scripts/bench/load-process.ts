/**
 * The load generator, a process of its own. Its parent tells it what to do (`LoadOrder`), one order
 * after another; it answers each with a `LoadResult`, and ends with its parent. A `StopOrder` ends
 * one before its time. It keeps its connections from one order to the next, as a proxy in front of
 * a BFF does.
 */
import { type Asked, exchangesOf } from './asked.ts'
import type { Exchange } from './http-connection.ts'
import { createLoadClient, type LoadClient } from './http-load.ts'
import type { LoadOrder, StopOrder } from './load-generator.ts'

process.on('message', (message: LoadOrder | StopOrder) => {
  if ('stop' in message) underWay.abort()
  else void carryOut(message)
})
process.on('disconnect', () => process.exit(0))

const clients = new Map<number, LoadClient>()
const prepared = new Map<string, readonly Exchange[]>()
let underWay = new AbortController()

async function carryOut({ port, asked, connections, ...load }: LoadOrder): Promise<void> {
  underWay = new AbortController()
  const client = clients.get(port) ?? createLoadClient({ port, connections })
  clients.set(port, client)
  const { signal } = underWay
  process.send?.(await client.run({ ...load, exchanges: prepare(asked), signal }))
}

/** Once for all orders that ask for the same. */
function prepare(asked: Asked): readonly Exchange[] {
  const key = JSON.stringify(asked)
  const exchanges = prepared.get(key) ?? exchangesOf(asked)
  prepared.set(key, exchanges)
  return exchanges
}
