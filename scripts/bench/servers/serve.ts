import type { FastifyInstance } from 'fastify'

/** What a server under test tells its parent when asked: since it started. */
export interface ServerUsage {
  readonly cpuMs: number
  readonly rssBytes: number
}

/** Listens on a free port of loopback, tells the parent which, answers its questions, ends with it. */
export async function serve(app: FastifyInstance): Promise<void> {
  await app.listen({ port: 0, host: '127.0.0.1' })
  const address = app.server.address()
  process.on('message', () => {
    const { user, system } = process.cpuUsage()
    const usage: ServerUsage = {
      cpuMs: (user + system) / 1000,
      rssBytes: process.memoryUsage.rss(),
    }
    process.send?.(usage)
  })
  process.on('disconnect', () => void app.close().then(() => process.exit(0)))
  process.send?.({ port: typeof address === 'object' ? address?.port : undefined })
}
