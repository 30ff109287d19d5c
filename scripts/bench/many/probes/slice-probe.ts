/**
 * Activates all functions, first from the store and then, when its parent says that another version
 * is desired, as a change of all; tells how long the event loop stood still at once meanwhile. Then the same of a loop that does nothing but count, for as
 * long as the change took: what the machine, V8 and the idle runtime do to a turn.
 */
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { createRuntime } from '@needle-faas/runtime'
import { needleOptions } from '../../servers/needle-options.ts'
import { pause } from '../../../../runtime/src/pause.ts'
import { createTurnReporter } from './report-turns.ts'
import { silentLog } from './silent-log.ts'

const options = needleOptions()
const functions = Number(process.env['LOAD_AHEAD'])
let activations = 0
const runtime = createRuntime({
  ...options,
  log: silentLog,
  report: false,
  onEvent: ({ type }) => {
    if (type === 'activated') activations += 1
  },
})
const turns = createTurnReporter()

await turns.report(async () => {
  await runtime.start()
  await untilDone(1)
})
await once(process, 'message')
const changeBegan = performance.now()
await turns.report(async () => {
  await runtime.refresh()
  await untilDone(2)
})
const changeMs = performance.now() - changeBegan
await turns.report(() => countFor(changeMs))
process.on('disconnect', () => void runtime.close().then(() => process.exit(0)))
if (!process.connected) process.exit(0)

/** In turns as long as the runtime's slices. */
async function countFor(durationMs: number): Promise<void> {
  const end = performance.now() + durationMs
  for (let count = 0; performance.now() < end; count++) await pause()
}

/** Every function is activated and loaded, and what the runtime does in the background after that is done. */
async function untilDone(wanted: number): Promise<void> {
  while (!isDone(wanted)) await delay(100)
  await runtime.refresh()
}

/** Not by their status, which takes a turn of its own. */
function isDone(wanted: number): boolean {
  return activations >= wanted && turns.loaded >= wanted * functions
}
