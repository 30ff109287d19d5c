/**
 * As `needle.ts`, with a watchdog the parent starts and stops while it serves. One thread watches for
 * the whole process, so the runtime need not know of it; it is asked for nothing but runaways.
 */
import { setTimeout as delay } from 'node:timers/promises'
import needle from '@needle-faas/runtime/fastify'
import Fastify from 'fastify'
import { startWatchdog, type Watchdog } from '../../../runtime/src/watchdog/watchdog.ts'
import { needleOptions } from './needle-options.ts'
import { serve } from './serve.ts'

const app = Fastify()
await app.register(needle, { prefix: '/api', ...needleOptions(), watchdog: false })
await app.needle.ready()

let watchdog: Watchdog | null = null
await serve(app, {
  on: async () => {
    watchdog ??= startWatchdog({ limitMs: 300, onRunaway: () => {} })
    const { status } = watchdog
    for (let now = status; now.mode !== 'stopping'; now = watchdog.status) await delay(10)
    return { watches: true }
  },
  off: async () => {
    await watchdog?.close()
    watchdog = null
    return { watches: false }
  },
})
