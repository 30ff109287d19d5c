import { setTimeout as delay } from 'node:timers/promises'
import type { ServerUsage } from '../server-usage.ts'

export interface Announcement {
  readonly port: number
  /** What the server has used; by default what this process has. */
  readonly usage?: () => ServerUsage
  readonly close: () => Promise<unknown>
}

/** Tells the parent where the server listens, answers `usageOf`, ends with the parent. */
export function announce({ port, usage = ownUsage, close }: Announcement): void {
  process.on('message', () => void reportUsage(usage))
  process.on('disconnect', () => void close().then(() => process.exit(0)))
  process.send?.({ port })
}

async function reportUsage(usage: () => ServerUsage): Promise<void> {
  // Contexts take several collections with turns of the loop between them.
  for (let round = 0; globalThis.gc !== undefined && round < 4; round++) {
    globalThis.gc()
    await delay(5)
  }
  process.send?.(usage())
}

function ownUsage(): ServerUsage {
  const { user, system } = process.cpuUsage()
  const { rss, heapUsed } = process.memoryUsage()
  return { cpuMs: (user + system) / 1000, rssBytes: rss, heapBytes: heapUsed }
}
