/**
 * So many runtimes of a fleet (INSTANCES, named NAME-1, NAME-2…) in one process, which share its
 * connections to the store; with SERVE the only one is a BFF that listens. Tells its parent what it
 * activates and what trips, and answers how many requests it sent to the store.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createRuntime, type RuntimeEvent, type RuntimeOptions } from '@needle-faas/runtime'
import needle from '@needle-faas/runtime/fastify'
import type { Logger } from '@needle-faas/runtime/function'
import { openStore } from '@needle-faas/runtime/store'
import Fastify from 'fastify'
import { needleOptions } from '../servers/needle-options.ts'
import { portOf } from '../servers/port-of.ts'
import { countingStore, type StoreRequests } from './counting-store.ts'
import type { FleetMessage } from './fleet-message.ts'

const requests: StoreRequests = { gets: 0, puts: 0 }
const base = needleOptions()
const opened = typeof base.source.store === 'string' ? await openStore(base.source.store) : null
if (opened === null) throw new Error('NEEDLE_STORE must name a store')
const store = countingStore(opened, requests)
const directory = await mkdtemp(join(tmpdir(), 'needle-fleet-'))
const name = process.env['NAME'] ?? 'host'
const instances = Array.from(
  { length: Number(process.env['INSTANCES'] ?? 1) },
  (_, index) => `${name}-${index + 1}`,
)
const tell = (message: FleetMessage): void => void process.send?.(message)
/** Two hundred runtimes say a lot, and the canaries are bad on purpose. */
const nothing = (): void => {}
const silence: Logger = { debug: nothing, info: nothing, warn: nothing, error: nothing }
const closers: (() => Promise<unknown>)[] = []

if (process.env['SERVE'] === undefined) {
  await Promise.all(
    instances.map(async (instance) => {
      const runtime = createRuntime(optionsOf(instance))
      closers.push(() => runtime.close())
      await runtime.start()
    }),
  )
  tell({ kind: 'ready', port: null })
} else {
  const app = Fastify()
  await app.register(needle, { ...optionsOf(name), prefix: '/api' })
  await app.listen({ port: 0, host: '127.0.0.1' })
  closers.push(() => app.close())
  tell({ kind: 'ready', port: portOf(app.server) })
}

process.on('message', () => tell({ kind: 'requests', ...requests }))
process.on('disconnect', () => void end())

function optionsOf(instance: string): RuntimeOptions {
  return {
    ...base,
    source: { ...base.source, store, cacheDirectory: join(directory, instance) },
    instance,
    log: silence,
    // Two hundred threads on two cores would measure the threads. Nothing here holds the event loop.
    watchdog: false,
    onEvent: (event) => onEvent(instance, event),
  }
}

function onEvent(instance: string, event: RuntimeEvent): void {
  const at = Date.now()
  if (event.type === 'activated') tell({ kind: 'activated', instance, version: event.version, at })
  if (event.type === 'canaryTripped') {
    const { function: tripped, trip } = event
    tell({ kind: 'tripped', instance, function: tripped, canaryCalls: trip.canary.calls, at })
  }
}

async function end(): Promise<void> {
  await Promise.allSettled(closers.map((close) => close()))
  await store.close()
  await rm(directory, { recursive: true, force: true })
  process.exit(0)
}
