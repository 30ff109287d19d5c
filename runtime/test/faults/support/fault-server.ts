import { createHook } from 'node:async_hooks'
import Fastify from 'fastify'
import { currentCall } from '../../../src/function/attribution.ts'
import { needle } from '../../../src/hosts/fastify.ts'
import type { FunctionState, ReleaseRef, Rollout } from '../../../src/manifest/group-document.ts'
import type { RuntimeEvent } from '../../../src/index.ts'
import { createTestEnvironment, silentLog } from '../../support/test-environment.ts'

/**
 * A host like any, in a process of its own, whose functions are published through its own routes
 * below `/control`. `<watchdog limit in ms> [hooks]`
 */
const [limitMs = '300', hooks] = process.argv.slice(2)
if (hooks === 'hooks') createHook({ init: () => {} }).enable()

const bucket = await createTestEnvironment()
const functions: Record<string, FunctionState> = {}
const proven = new Map<string, ReleaseRef>()
const events: RuntimeEvent[] = []

/**
 * - `proven`: serves, and is what a failing one falls back on.
 * - `stable`: serves.
 * - `canary`: serves everybody beside the proven one.
 */
interface Publication {
  readonly name: string
  readonly handler: string
  readonly role?: 'proven' | 'stable' | 'canary'
}

async function publish({ name, handler, role = 'proven' }: Publication): Promise<void> {
  const ref = await bucket.release(`shop/${name}`, handler)
  if (role === 'proven') proven.set(name, ref)
  const before = proven.get(name)
  functions[name] = {
    stable: role === 'canary' && before !== undefined ? before : ref,
    previous: before === undefined || role !== 'stable' ? [] : [before],
    rollout: role === 'canary' ? toEverybody(ref) : null,
    hold: null,
  }
  await bucket.publish(functions)
}

const toEverybody = (canary: ReleaseRef): Rollout => ({
  canary,
  steps: [{ weightPercent: 100, bakeMs: 0 }],
  step: 0,
  weightPercent: 100,
  salt: 'for the fault tests',
  since: '2026-01-01T00:00:00Z',
})

await publish({ name: 'plain', handler: 'async (input) => ({ n: input.n })' })
await publish({
  name: 'waiting',
  handler: `async (input) => {
    await new Promise((resolve) => setTimeout(resolve, 10))
    return { n: input.n }
  }`,
})

const app = Fastify()
await app.register(needle, {
  source: { store: bucket.store, pollIntervalMs: 60_000 },
  groups: ['shop'],
  trust: bucket.trust.rootBytes,
  log: silentLog,
  report: false,
  // The guard of the first calls would be there before the watchdog.
  probationCalls: 0,
  watchdog: { limitMs: Number(limitMs) },
  onEvent: (event) => events.push(event),
})
app.post<{ Body: Publication }>('/control/publish', async ({ body }) => {
  await publish(body)
  await app.needle.refresh()
  return {}
})
app.post('/control/refresh', async () => app.needle.refresh().then(() => ({})))
app.get('/control/status', () => app.needle.status())
app.get('/control/events', () => events)
/** Whom the host's own code is charged to: nobody. */
app.get('/control/attribution', async () => {
  const later = await new Promise((resolve) => setImmediate(() => resolve(currentCall() ?? null)))
  return { now: currentCall() ?? null, later }
})
process.send?.({ base: await app.listen({ port: 0, host: '127.0.0.1' }) })
process.on('disconnect', () => process.exit(0))
