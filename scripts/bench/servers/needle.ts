/**
 * A BFF with the Needle plugin and one published function. Reads NEEDLE_STORE, NEEDLE_TRUST and
 * NEEDLE_CACHE. Everything is as in production, polling too.
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

const app = Fastify()

await app.register(needle, {
  prefix: '/api',
  source: {
    store: required('NEEDLE_STORE'),
    environment: 'production',
    cacheDirectory: required('NEEDLE_CACHE'),
  },
  groups: ['bench'],
  trust: required('NEEDLE_TRUST'),
  services: {},
})

await serve(app)
