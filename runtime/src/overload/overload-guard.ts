import { outsideAnyCall } from '../function/outside-any-call.ts'
import type { MetricsRegistry } from '../metrics/metrics-registry.ts'
import { createLoadShedder, type ShedChange } from './load-shedder.ts'

/** Watches how late the event loop runs, and whom to turn away for it. */
export interface OverloadGuard {
  /** Functions that are turned away: replaced, never changed. */
  readonly shed: ReadonlySet<string>
  /** Milliseconds, the mean of about a second. */
  readonly delayMs: number
  /** Somebody is turned away, or would soon be: no time for what can wait. */
  readonly isStrained: boolean
  close(): void
}

export interface OverloadGuardOptions {
  readonly maxLoopDelayMs: number
  readonly registry: MetricsRegistry
  readonly onChange: (change: ShedChange & { readonly delayMs: number }) => void
}

const sampleMs = 100

export function startOverloadGuard(options: OverloadGuardOptions): OverloadGuard {
  const shedder = createLoadShedder({ limitMs: options.maxLoopDelayMs })
  let shed: ReadonlySet<string> = new Set()
  let lastAt = performance.now()

  const sample = (): void => {
    const now = performance.now()
    const elapsedMs = now - lastAt
    lastAt = now
    const lateMs = Math.max(0, elapsedMs - sampleMs)
    const change = shedder.observe({ lateMs, elapsedMs, loopMs: () => options.registry.loopMs() })
    if (change === null) return
    shed = shedder.shed
    options.onChange({ ...change, delayMs: shedder.delayMs })
  }
  const timer = outsideAnyCall(() => setInterval(sample, sampleMs).unref())

  return {
    get shed() {
      return shed
    },
    get delayMs() {
      return shedder.delayMs
    },
    get isStrained() {
      return shed.size > 0 || shedder.delayMs > options.maxLoopDelayMs / 2
    },
    close: () => clearInterval(timer),
  }
}
