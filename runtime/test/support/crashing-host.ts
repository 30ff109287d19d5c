import { setTimeout as delay } from 'node:timers/promises'
import { createRuntime } from '../../src/runtime.ts'
import { call } from './call.ts'
import { silentLog } from './silent-log.ts'

/** What a host is to do. */
export interface Orders {
  /** Functions of the group `shop` that are called, and left alone. */
  readonly begin?: readonly string[]
  /** A function that is called so often, one call after another. */
  readonly name: string
  readonly times: number
  /** How long it goes on after that before it tells of the last call, in milliseconds. */
  readonly lingerMs: number
  /** Exits with this code instead of telling. */
  readonly exitCode?: number
}

/** A host to be crashed by what it serves: `<bucket> <cache directory> <trust root>`; obeys orders. */
const [bucket = '', cacheDirectory = '', trust = ''] = process.argv.slice(2)
const events: string[] = []

const runtime = createRuntime({
  source: { store: `file:${bucket}`, cacheDirectory },
  groups: ['shop'],
  trust,
  log: silentLog,
  report: false,
  loadAhead: 0,
  drainTimeoutMs: 100,
  onEvent: ({ type }) => void events.push(type),
  // Memory must run out before time does.
  watchdog: false,
})
const obey = async ({ begin = [], name, times, lingerMs, exitCode }: Orders): Promise<void> => {
  for (const each of begin) void call(runtime, `/shop/${each}`)
  let answer = { status: 0, body: {} as unknown }
  for (let left = times; left > 0; left--) answer = await call(runtime, `/shop/${name}`)
  await delay(lingerMs)
  if (exitCode !== undefined) process.exit(exitCode)
  await runtime.refresh()
  const { status, body } = answer
  process.send?.({ status, body, events, functions: runtime.status().functions })
}
process.on('message', (orders: Orders) => void obey(orders))
process.on('disconnect', () => void runtime.close())
await runtime.start()
await runtime.refresh()
process.send?.('ready')
