import { createHook } from 'node:async_hooks'
import Fastify from 'fastify'
import { currentCall } from '../../../src/function/attribution.ts'
import { needle } from '../../../src/hosts/fastify.ts'
import type { FunctionState, ReleaseRef } from '../../../src/manifest/group-document.ts'
import type { Logger } from '../../../src/function/authoring/function-context.ts'
import type { RuntimeEvent } from '../../../src/index.ts'
import { testFunctionState, testRollout } from '../../../src/manifest/testing/test-documents.ts'
import { quietOptions } from '../../support/quiet-options.ts'
import { readReport } from '../../support/read-report.ts'
import { createTestEnvironment } from '../../support/test-environment.ts'
import type { FunctionLine, Publication } from './start-fault-server.ts'

/**
 * A host like any, in a process of its own, whose functions are published through its own routes
 * below `/control`. `<watchdog limit in ms>`
 */
const [limitMs = '300'] = process.argv.slice(2)

const bucket = await createTestEnvironment()
const functions: Record<string, FunctionState> = {}
const proven = new Map<string, ReleaseRef>()
const events: RuntimeEvent[] = []
const lines: FunctionLine[] = []
const notes: string[] = []

async function publish(publication: Publication): Promise<void> {
  const { name, handler, script, role = 'proven', weightPercent = 100, settings = {} } = publication
  const ref = await bucket.release(`shop/${name}`, handler, {
    settings,
    ...(script !== undefined && { script }),
  })
  if (role === 'proven') proven.set(name, ref)
  const before = proven.get(name)
  functions[name] = testFunctionState(role === 'canary' && before !== undefined ? before : ref, {
    previous: before === undefined || role !== 'stable' ? [] : [before],
    rollout: role === 'canary' ? testRollout(ref, { weightPercent }) : null,
  })
  await bucket.publish(functions)
}

const record =
  (level: string): Logger['info'] =>
  (message, fields = {}) => {
    const { function: name, revision } = fields
    if (typeof name !== 'string' || typeof revision !== 'string') return
    lines.push({ ...fields, level, message, function: name, revision })
  }

const meeting: (() => void)[] = []

const writes: ((error: Error) => void)[] = []
setInterval(() => {
  for (const reject of writes.splice(0)) reject(new Error('stray write'))
}, 10).unref()

/** As the clients of many databases: what it was asked for fails in its own time, which is no call's. */
class Bus {
  readonly #writes = writes

  write(): Promise<void> {
    return new Promise((_, reject) => void this.#writes.push(reject))
  }
}

const services: object = {
  /** How a function tells the test what it has seen. */
  notes: { add: (text: unknown) => void notes.push(String(text)) },
  bus: new Bus(),
  /** Answers each at that time, in epoch milliseconds, by a timer of its own. */
  later: {
    at: (dueMs: number) => new Promise<void>((resolve) => setTimeout(resolve, dueMs - Date.now())),
  },
  /** Lets go on, in one turn of the event loop, all that have come once there are so many. */
  gate: {
    meet: (expected: number) =>
      new Promise<void>((resolve) => {
        if (meeting.push(resolve) < expected) return
        const all = meeting.splice(0)
        setTimeout(() => {
          for (const goOn of all) goOn()
        }, 10)
      }),
  },
}

await publish({ name: 'plain', handler: 'async (input) => ({ n: input.n })' })
await publish({
  name: 'waiting',
  handler: `async (input) => {
    await new Promise((resolve) => setTimeout(resolve, 10))
    return { n: input.n }
  }`,
})

const instance = 'fault-server'
const options = quietOptions(bucket, {
  report: true,
  instance,
  source: { pollIntervalMs: 60_000 },
  log: {
    debug: record('debug'),
    info: record('info'),
    warn: record('warn'),
    error: record('error'),
  },
  services,
  drainTimeoutMs: 1000,
  // The guard of the first calls would be there before the watchdog.
  probationCalls: 0,
  watchdog: { limitMs: Number(limitMs) },
  // On a busy machine a culprit would be turned away before it is stopped.
  maxLoopDelayMs: false,
  onEvent: (event) => events.push(event),
})
const app = Fastify()
await app.register(needle, options)
app.post<{ Body: Publication }>('/control/publish', async ({ body }) => {
  await publish(body)
  await app.needle.refresh()
  return {}
})
app.post('/control/refresh', async () => app.needle.refresh().then(() => ({})))
app.get('/control/status', () => app.needle.status())
/** What it told the fleet last. */
app.get('/control/report', () => readReport(bucket.store, instance))
app.get('/control/events', () => events)
app.get('/control/log', () => lines)
app.get('/control/notes', () => notes)
app.get('/control/warn', () => {
  process.emitWarning("the host's own")
  return {}
})
const tracing = createHook({ init: () => {} })
/** As an agent does that is attached to a process that runs, and detached again. */
app.post<{ Body: { readonly isEnabled: boolean } }>('/control/tracing', ({ body }) => {
  if (body.isEnabled) tracing.enable()
  else tracing.disable()
  return {}
})
/** How many wait at the gate. */
app.get('/control/meeting', () => meeting.length)
/** What the host's own code meets of the prototypes and built-ins functions might change. */
app.get('/control/prototypes', async () => ({
  polluted: [{}, [], () => {}, ''].map((value) => String(Reflect.get(Object(value), 'polluted'))),
  mapped: [1, 2].map((n) => n + 1),
  json: JSON.stringify({ a: [1] }),
  promise: typeof Promise.prototype.then,
  keys: Object.keys({ a: 1 }),
}))
app.get('/control/metrics', () => app.needle.metrics())
/** Whom the host's own code is charged to: nobody. */
app.get('/control/attribution', async () => {
  const later = await new Promise((resolve) => setImmediate(() => resolve(currentCall() ?? null)))
  return { now: currentCall() ?? null, later }
})
process.send?.({ base: await app.listen({ port: 0, host: '127.0.0.1' }) })
process.on('disconnect', () => process.exit(0))
