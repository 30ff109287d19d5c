import { writeSync } from 'node:fs'
import { parentPort, workerData } from 'node:worker_threads'
import { heartbeatSlot } from '../function/heartbeat.ts'
import { debugMainThread } from './paused-function.ts'
import { createStallJudge } from './stall.ts'
import { ready, type RunawayMessage } from './watchdog-message.ts'

// A thread that watches the main thread's heartbeat. See `watchdog.ts` for who starts it.

const tickMs = 20

if (!(workerData instanceof Int32Array)) throw new TypeError('The heartbeat is missing')
const heartbeat = workerData
const main = debugMainThread()
const judge = createStallJudge({ maxElapsedMs: 3 * tickMs })
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

setInterval(() => {
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
}, tickMs)

// oxlint-disable-next-line unicorn/require-post-message-target-origin -- not a window's
parentPort?.postMessage(ready)
