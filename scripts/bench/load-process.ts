/**
 * The load generator, a process of its own. Told once by its parent what to do (`LoadOrder`),
 * answers each with a `LoadReport`, and ends with its parent.
 */
import { type LoadResult, runLoad } from './http-load.ts'
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

async function carryOut(order: LoadOrder): Promise<void> {
  const before = process.cpuUsage()
  const result = await runLoad({ ...order, exchanges: priceExchanges(order.path) })
  const { user, system } = process.cpuUsage(before)
  const report: LoadReport = { ...result, busy: (user + system) / 1000 / result.durationMs }
  process.send?.(report)
}
