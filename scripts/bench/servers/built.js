/**
 * A BFF as it runs in production: JavaScript, and the runtime as it is built, in plain Node. Told by
 * its environment as `needle.ts`. Tells its parent the port it listens on and when it got how far
 * (`StartMoments`), in milliseconds since the process began.
 */
const began = performance.now()
const [{ default: Fastify }, { needle }] = await Promise.all([
  import('fastify'),
  import('@needle-faas/runtime/fastify'),
])
const imported = performance.now()
const { NEEDLE_STORE, NEEDLE_TRUST, NEEDLE_CACHE, NEEDLE_GROUP } = process.env

const app = Fastify()
await app.register(needle, {
  prefix: '/api',
  source: { store: NEEDLE_STORE, cacheDirectory: NEEDLE_CACHE },
  groups: [NEEDLE_GROUP],
  trust: NEEDLE_TRUST,
})
const ready = performance.now()
await app.listen({ port: 0, host: '127.0.0.1' })
const listening = performance.now()

process.on('disconnect', () => void app.close().then(() => process.exit(0)))
process.send({
  port: app.server.address().port,
  runsFrom: import.meta.resolve('@needle-faas/runtime'),
  moments: { began, imported, ready, listening },
})
