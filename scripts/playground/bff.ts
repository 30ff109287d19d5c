/**
 * The BFF of the playground, a program of its own: an ordinary Fastify server that a team already
 * runs, with one plugin registered. Reads NEEDLE_STORE, NEEDLE_TRUST, NEEDLE_CACHE, PORT and
 * POLL_INTERVAL_MS; tells its parent when it listens.
 */
import Fastify from 'fastify'
import { needle } from '@needle-faas/runtime/fastify'
import services from '../../functions/dev-services.ts'

const required = (name: string): string => {
  const value = process.env[name]
  if (value === undefined)
    throw new Error(`${name} is not set; start the playground with npm start`)
  return value
}

const acceptedLocale = (header: string | undefined): string | undefined => {
  const [first = ''] = (header ?? '').split(/[,;]/)
  return /^[a-z]{2}(-[A-Z]{2})?$/.test(first) ? first : undefined
}

const app = Fastify({ logger: { level: process.env['LOG_LEVEL'] ?? 'warn' } })

app.get('/', () => ({ hello: 'this route belongs to the BFF itself' }))

await app.register(needle, {
  prefix: '/api',
  source: {
    store: required('NEEDLE_STORE'),
    environment: 'production',
    pollIntervalMs: Number(process.env['POLL_INTERVAL_MS'] ?? 1000),
    cacheDirectory: required('NEEDLE_CACHE'),
  },
  groups: ['shop'],
  trust: required('NEEDLE_TRUST'),
  services,
  // Who is asking: one user stays on one side of a canary.
  stickyKey: (call) => String(call.headers['x-user-id'] ?? ''),
  context: (request) => ({ locale: acceptedLocale(request.headers['accept-language']) }),
})

app.get('/status', () => app.needle.status())

await app.listen({ port: Number(process.env['PORT'] ?? 3000), host: '127.0.0.1' })
const address = app.server.address()
process.send?.({ port: typeof address === 'object' ? address?.port : undefined })

// A parent that is gone, however it went, must not leave a server behind.
process.on('disconnect', () => void app.close().then(() => process.exit(0)))
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => void app.close().then(() => process.exit(0)))
}
