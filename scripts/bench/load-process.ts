/**
 * The load generator, a process of its own. Its parent tells it what to do (`LoadOrder`), one order
 * after another; it answers each with a `LoadResult`, and ends with its parent. It keeps its
 * connections from one order to the next, as a proxy in front of a BFF does.
 */
import { createLoadClient, type LoadClient } from './http-load.ts'
import { priceExchanges } from './price-exchanges.ts'

export interface LoadOrder {
  readonly port: number
  readonly path: string
  readonly connections: number
  readonly durationMs: number
  readonly ratePerSecond?: number | undefined
}

process.on('message', (order: LoadOrder) => void carryOut(order))
process.on('disconnect', () => process.exit(0))

const clients = new Map<number, LoadClient>()

async function carryOut({ port, path, connections, ...load }: LoadOrder): Promise<void> {
  const client = clients.get(port) ?? createLoadClient({ port, connections })
  clients.set(port, client)
  const result = await client.run({ ...load, exchanges: priceExchanges(path) })
  process.send?.(result)
}
