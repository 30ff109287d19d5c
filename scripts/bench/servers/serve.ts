import { setTimeout as delay } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import type { ServerUsage } from '../server-usage.ts'

/** Listens on a free port of loopback, tells the parent which, answers `usageOf`, ends with it. */
export async function serve(app: FastifyInstance): Promise<void> {
  await app.listen({ port: 0, host: '127.0.0.1' })
  const address = app.server.address()
  process.on('message', () => void reportUsage())
  process.on('disconnect', () => void app.close().then(() => process.exit(0)))
  process.send?.({ port: typeof address === 'object' ? address?.port : undefined })
}

async function reportUsage(): Promise<void> {
  // Contexts take several collections with turns of the loop between them.
  for (let round = 0; globalThis.gc !== undefined && round < 4; round++) {
    globalThis.gc()
    await delay(5)
  }
  const { user, system } = process.cpuUsage()
  const { rss, heapUsed } = process.memoryUsage()
  const usage: ServerUsage = {
    cpuMs: (user + system) / 1000,
    rssBytes: rss,
    heapBytes: heapUsed,
  }
  process.send?.(usage)
}
