/**
 * The load generator, a process of its own. Its parent tells it what to do (`LoadOrder`), one order
 * after another; it answers each with a `LoadReport`, and ends with its parent. It keeps its
 * connections from one order to the next, as a proxy in front of a BFF does.
 */
import { createLoadClient, type LoadClient, type LoadResult } from './http-load.ts'
import { priceExchanges } from './price-exchanges.ts'

export interface LoadOrder {
  readonly port: number
  readonly path: string
  readonly connections: number
  readonly durationMs: number
  readonly ratePerSecond?: number | undefined
}

export interface LoadReport extends LoadResult {
  /** Share of one core the generator used, 0–1: near 1 it measures itself. */
  readonly busy: number
}

process.on('message', (order: LoadOrder) => void carryOut(order))
process.on('disconnect', () => process.exit(0))

const clients = new Map<number, LoadClient>()

async function carryOut({ port, path, connections, ...load }: LoadOrder): Promise<void> {
  const client = clients.get(port) ?? createLoadClient({ port, connections })
  clients.set(port, client)
  const before = process.cpuUsage()
  const result = await client.run({ ...load, exchanges: priceExchanges(path) })
  const { user, system } = process.cpuUsage(before)
  const report: LoadReport = { ...result, busy: (user + system) / 1000 / result.durationMs }
  process.send?.(report)
}
