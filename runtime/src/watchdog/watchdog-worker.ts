import { writeSync } from 'node:fs'
import { setImmediate as loopTurn } from 'node:timers/promises'
import { parentPort, workerData } from 'node:worker_threads'
import { heartbeatSlot } from '../function/heartbeat.ts'
import { connectToMainThread } from './main-thread.ts'
import { createStallJudge } from './stall.ts'
import { ready, type RunawayMessage, type WatchdogMemory } from './watchdog-message.ts'

// A thread that watches the main thread's heartbeat. See `watchdog.ts` for who starts it.

/**
 * While the main thread gives signs of life: seldom, since waking this thread may take the core from
 * the main one. While it does not: often.
 */
const calmTickMs = 50
const stalledTickMs = 20

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- from `watchdog.ts`
const { heartbeat, channel } = workerData as WatchdogMemory
const main = connectToMainThread(channel)
const judge = createStallJudge({ maxElapsedMs: 2 * calmTickMs })
let lastTickAt = performance.now()
/** Told of once a stall. */
let spared: string | null = null

const tell = (message: RunawayMessage): void => {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- not a window's
  parentPort?.postMessage(message)
  if (message.outcome === 'stopped') return
  // The main thread may never get to read it, and `console` would wait for it.
  const line = { level: 'error', message: 'A function holds the event loop', ...message }
  writeSync(2, `${JSON.stringify({ time: new Date().toISOString(), ...line })}\n`)
}

const look = (): void => {
  const { stalledMs } = judge
  let isRunaway = false
  const found = main.look((revision) => (isRunaway = judge.isRunaway(revision)))
  if (found === 'lost') return judge.onLookLost()
  if (found === null || !isRunaway) return
  const { revision, requestId } = found.code
  if (found.isEnded) return tell({ outcome: 'stopped', revision, requestId, stalledMs })
  if (spared === revision) return
  spared = revision
  tell({ outcome: 'spared', revision, requestId, stalledMs })
}

const tick = (): void => {
  const now = performance.now()
  const elapsedMs = now - lastTickAt
  lastTickAt = now
  const wantsLook = judge.observe({
    beats: Atomics.load(heartbeat, heartbeatSlot.beats),
    isHeld: Atomics.load(heartbeat, heartbeatSlot.holds) > 0,
    limitMs: Atomics.load(heartbeat, heartbeatSlot.limitMs),
    elapsedMs,
  })
  if (judge.stalledMs === 0) spared = null
  if (wantsLook) look()
}

const neverNotified = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))

const watch = async (): Promise<never> => {
  for (;;) {
    // Asleep: cheaper than a timer of the event loop by half.
    Atomics.wait(neverNotified, 0, 0, judge.stalledMs > 0 ? stalledTickMs : calmTickMs)
    await loopTurn()
    tick()
  }
}

// oxlint-disable-next-line unicorn/require-post-message-target-origin -- not a window's
parentPort?.postMessage(ready)
void watch()
