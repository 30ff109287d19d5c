/**
 * A BFF with the Needle plugin and nothing else. Reads NEEDLE_STORE, NEEDLE_TRUST, NEEDLE_CACHE
 * and NEEDLE_GROUP, and POLL_INTERVAL_MS, else the plugin's default.
 */
import Fastify from 'fastify'
import needle from '@needle-faas/runtime/fastify'
import { serve } from './serve.ts'

const required = (name: string): string => {
  const value = process.env[name]
  if (value === undefined)
    throw new Error(`${name} is not set; start the benchmark with npm run bench`)
  return value
}

const pollIntervalMs = process.env['POLL_INTERVAL_MS']

const app = Fastify()

await app.register(needle, {
  prefix: '/api',
  source: {
    store: required('NEEDLE_STORE'),
    environment: 'production',
    cacheDirectory: required('NEEDLE_CACHE'),
    ...(pollIntervalMs !== undefined && { pollIntervalMs: Number(pollIntervalMs) }),
  },
  groups: [required('NEEDLE_GROUP')],
  trust: required('NEEDLE_TRUST'),
  services: {},
})

await serve(app)
