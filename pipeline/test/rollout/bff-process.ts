import { needle } from '@needle-faas/runtime/fastify'
import Fastify from 'fastify'

/** A BFF in a process of its own: `<store> <trust root> <instance>`; tells its address once it serves. */
const [store = '', trust = '', instance = ''] = process.argv.slice(2)

const app = Fastify()
await app.register(needle, {
  source: { store, pollIntervalMs: 200 },
  groups: ['shop'],
  trust,
  instance,
  // Memory must run out before time does.
  watchdog: false,
  log: { debug() {}, info() {}, warn() {}, error() {} },
})
// Nobody is left who would end it.
process.on('disconnect', () => process.exit(1))
process.on('SIGTERM', () => void app.close().then(() => process.exit(0)))
process.send?.(await app.listen({ host: '127.0.0.1', port: 0 }))
