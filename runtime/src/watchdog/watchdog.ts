import { url as inspectorUrl } from 'node:inspector'
import { isMainThread, Worker } from 'node:worker_threads'
import { condemn } from '../function/container/condemnation.ts'
import { beat, heartbeat, heartbeatSlot } from '../function/heartbeat.ts'
import { resumeCalls } from '../function/interrupted-calls.ts'
import { hasAsyncHooks, lookAtMicrotasks } from '../function/microtask-scope.ts'
import { outsideAnyCall } from '../function/outside-any-call.ts'
import type { WatchdogStatus } from '../sync/status.ts'
import { answerLook, createLookChannel } from './look-channel.ts'
import { lookKey } from './main-thread.ts'
import { canStop, runningCode } from './running-code.ts'
import {
  isRunawayMessage,
  ready,
  type RunawayMessage,
  type WatchdogMemory,
} from './watchdog-message.ts'

export interface Watchdog {
  readonly status: Pick<WatchdogStatus, 'mode' | 'reason'>
  /** The last to close it ends the thread. Idempotent. */
  close(): Promise<void>
}

export interface WatchdogOptions {
  /** Longest time a function may hold the event loop. With several runtimes the lowest counts. */
  readonly limitMs: number
  /** Told on the main thread, after the event loop turns again. */
  readonly onRunaway: (message: RunawayMessage) => void
}

/** Below the tick of the thread that counts them. */
const beatMs = 40
const checkMs = 1000

const watchers = new Set<WatchdogOptions>()
let thread: WatchdogThread | null = null

/**
 * Watches the event loop from a thread of its own and ends functions that hold it, in synchronous
 * code as well as after an `await`. One thread per process, however many runtimes ask for it.
 */
export function startWatchdog(options: WatchdogOptions): Watchdog {
  watchers.add(options)
  setLimit()
  const shared = (thread ??= startThread())
  return {
    get status() {
      return shared.status()
    },
    close: async () => {
      if (!watchers.delete(options)) return
      setLimit()
      if (watchers.size > 0) return
      thread = null
      await shared.end()
    },
  }
}

function setLimit(): void {
  const limits = [...watchers].map(({ limitMs }) => limitMs)
  if (limits.length > 0) Atomics.store(heartbeat, heartbeatSlot.limitMs, Math.min(...limits))
}

interface WatchdogThread {
  status(): Watchdog['status']
  end(): Promise<void>
}

function startThread(): WatchdogThread {
  let failure = reasonAgainst()
  let isHeld = false
  let isReady = false
  if (failure !== null) return { status: () => off(failure), end: async () => {} }

  // As it is itself: TypeScript from source, JavaScript when built.
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
  const channel = createLookChannel()
  Object.defineProperty(globalThis, Symbol.for(lookKey), {
    configurable: true,
    value: (look: number) =>
      answerLook(channel, look, {
        find: runningCode,
        condemn: ({ revision, requestId }) => condemn(revision, requestId),
      }),
  })
  const worker = outsideAnyCall(
    () =>
      new Worker(new URL(`./watchdog-worker.${extension}`, import.meta.url), {
        workerData: { heartbeat, channel } satisfies WatchdogMemory,
        name: 'needle-watchdog',
        // No preloads of the host's: they would run here too, hooks and all.
        execArgv: [],
        env: {},
      }),
  )
  worker.unref()
  worker.on('message', (message: unknown) => {
    if (message === ready) isReady = true
    if (!isRunawayMessage(message)) return
    if (message.outcome === 'stopped') resumeCalls()
    for (const { onRunaway } of watchers) onRunaway(message)
  })
  worker.on('error', (error) => {
    failure = `its thread failed: ${error instanceof Error ? error.message : String(error)}`
  })

  const check = (): void => {
    // A debugger holds the main thread as long as its user thinks.
    const isDebugged = inspectorUrl() !== undefined
    if (isDebugged !== isHeld) {
      Atomics.add(heartbeat, heartbeatSlot.holds, isDebugged ? 1 : -1)
      isHeld = isDebugged
    }
    lookAtMicrotasks()
  }
  check()
  const timers = outsideAnyCall(() => [setInterval(beat, beatMs), setInterval(check, checkMs)])
  for (const timer of timers) timer.unref()

  return {
    status: () => {
      if (failure !== null) return off(failure)
      if (!isReady) return off('its thread is starting')
      if (isHeld) return off('a debugger is attached')
      if (!canStop) return { mode: 'reporting', reason: `Node.js ${process.version} is too old` }
      if (hasAsyncHooks()) return { mode: 'reporting', reason: 'async_hooks are enabled' }
      return { mode: 'stopping', reason: null }
    },
    end: async () => {
      for (const timer of timers) clearInterval(timer)
      if (isHeld) Atomics.sub(heartbeat, heartbeatSlot.holds, 1)
      await worker.terminate()
    },
  }
}

function off(reason: string | null): Watchdog['status'] {
  return { mode: 'off', reason }
}

function reasonAgainst(): string | null {
  return isMainThread ? null : 'functions run in a worker thread'
}
