import { writeSync } from 'node:fs'
import { setImmediate as loopTurn, setTimeout as delay } from 'node:timers/promises'
import { parentPort, workerData } from 'node:worker_threads'
import { heartbeatSlot } from '../function/heartbeat.ts'
import { debugMainThread } from './paused-function.ts'
import { createStallJudge } from './stall.ts'
import { ready, type RunawayMessage } from './watchdog-message.ts'

// A thread that watches the main thread's heartbeat. See `watchdog.ts` for who starts it.

/**
 * While the main thread gives signs of life: seldom and asleep, since waking this thread may take
 * the core from the main one. While it does not: often, and with an ear for what it answers.
 */
const calmTickMs = 50
const stalledTickMs = 20

if (!(workerData instanceof Int32Array)) throw new TypeError('The heartbeat is missing')
const heartbeat = workerData
const main = debugMainThread()
const judge = createStallJudge({ maxElapsedMs: 2 * calmTickMs })
let lastTickAt = performance.now()
let isLooking = false
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

const look = async (): Promise<void> => {
  isLooking = true
  const { stalledMs } = judge
  let isRunaway = false
  try {
    const found = await main.look((revision) => (isRunaway = judge.isRunaway(revision)))
    if (found === 'lost') return judge.onLookLost()
    if (found === null || !isRunaway) return
    const { revision, requestId, isStopped } = found
    if (isStopped) return tell({ outcome: 'stopped', revision, requestId, stalledMs })
    if (spared === revision) return
    spared = revision
    tell({ outcome: 'spared', revision, requestId, stalledMs })
  } finally {
    isLooking = false
  }
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
  if (judge.stalledMs === 0 && !isLooking) {
    spared = null
    main.rest()
  }
  if (wantsLook && !isLooking) void look()
}

const watch = async (): Promise<never> => {
  for (;;) {
    if (judge.stalledMs > 0 || isLooking) await delay(stalledTickMs)
    else {
      sleep(calmTickMs)
      await loopTurn()
    }
    tick()
  }
}

const neverNotified = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))

/** Cheaper than a timer of the event loop by half. */
function sleep(forMs: number): void {
  Atomics.wait(neverNotified, 0, 0, forMs)
}

// oxlint-disable-next-line unicorn/require-post-message-target-origin -- not a window's
parentPort?.postMessage(ready)
void watch()
