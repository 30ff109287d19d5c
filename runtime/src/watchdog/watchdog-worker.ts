import { writeSync } from 'node:fs'
import { setImmediate as loopTurn } from 'node:timers/promises'
import { parentPort, workerData } from 'node:worker_threads'
import { heartbeatSlot } from '../function/heartbeat.ts'
import { reachMainThread } from './main-thread.ts'
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
const main = reachMainThread(channel)
const judge = createStallJudge({ maxElapsedMs: 2 * calmTickMs })
let lastTickAt = performance.now()
/** Told of once a stall. */
let spared: string | null = null
let isDeafTold = false

const tell = (message: RunawayMessage): void => {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- not a window's
  parentPort?.postMessage(message)
  if (message.outcome === 'stopped') return
  warn('A function holds the event loop', message)
}

/** The main thread may never get to write it, and `console` would wait for it. */
const warn = (message: string, fields: object): void => {
  const line = { time: new Date().toISOString(), level: 'error', message, ...fields }
  writeSync(2, `${JSON.stringify(line)}\n`)
}

/** Once a stall: nobody can be named, as whoever is there answers nothing. */
const onLost = (stalledMs: number): void => {
  judge.onLookLost()
  if (isDeafTold || stalledMs < Atomics.load(heartbeat, heartbeatSlot.limitMs)) return
  isDeafTold = true
  warn('The event loop stands still in native code, or gets no processor time', { stalledMs })
}

const look = (): void => {
  const { stalledMs } = judge
  let isRunaway = false
  const found = main.look((revision) => (isRunaway = judge.isRunaway(revision)))
  if (found === 'lost') return onLost(stalledMs)
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
  if (judge.stalledMs === 0) {
    spared = null
    isDeafTold = false
    main.leave()
  }
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
