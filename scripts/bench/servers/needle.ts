/**
 * A BFF with the Needle plugin and nothing else, told by its environment as `needleOptions` says.
 * With LOAD_AHEAD it listens once so many functions are loaded.
 */
import { setTimeout as delay } from 'node:timers/promises'
import needle from '@needle-faas/runtime/fastify'
import Fastify from 'fastify'
import { needleOptions } from './needle-options.ts'
import { serve } from './serve.ts'

const options = needleOptions()
let activations = 0
const app = Fastify()

await app.register(needle, {
  prefix: '/api',
  ...options,
  onEvent: ({ type }) => {
    if (type === 'activated') activations += 1
  },
})
if (options.loadAhead !== undefined) {
  await app.needle.ready()
  while (isLoading(options.loadAhead)) await delay(20)
}

await serve(app, {
  activations: () => ({ activations }),
  probation: () => ({
    functions: app.needle.status().functions.filter(({ probation }) => probation).length,
  }),
})

function isLoading(loadAhead: number): boolean {
  const { functions } = app.needle.status()
  const loaded = functions.filter((each) => each.loaded).length
  return loaded < Math.min(loadAhead, functions.length)
}
