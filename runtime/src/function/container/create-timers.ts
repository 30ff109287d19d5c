import { chargeResumed, currentCall } from '../attribution.ts'
import { microtask } from '../microtask.ts'
import { isResting, keepBack } from '../turn-rest.ts'

/** The timer globals of one container, and the switches that hold and end them all. */
export interface Timers {
  readonly globals: Readonly<Record<TimerGlobal, unknown>>
  /** None fires until `resume`: their time begins anew then. Idempotent, as `resume` is. */
  hold(): void
  resume(): void
  /** An execution of the function's was ended, perhaps in a timer. Only takes note. */
  onEnded(): void
  /**
   * Tells when the first timer is opened or resumed, and when none is left: all are held, cleared, or
   * have fired and returned. At once when some are open; the listener before it hears that none is left.
   */
  observe(listener: ((isOpen: boolean) => void) | null): void
  /** Clears every open timer; later ones never fire. Idempotent. */
  dispose(): void
}

type TimerGlobal =
  | 'setTimeout'
  | 'clearTimeout'
  | 'setInterval'
  | 'clearInterval'
  | 'setImmediate'
  | 'clearImmediate'

const maxDelayMs = 2 ** 31 - 1

type Callback = (...args: readonly unknown[]) => unknown

/**
 * Timers that never keep the process alive, are tracked so that a replaced revision leaves none
 * behind, and call back from a microtask: code entered straight from a timer cannot be stopped by
 * the watchdog without the process aborting. What a callback throws becomes an unhandled rejection
 * charged to the function.
 */
export function createTimers(): Timers {
  const open = new Map<number, TimerHandle>()
  let lastId = 0
  let held = false
  let disposed = false
  let listener: ((isOpen: boolean) => void) | null = null
  let isOpen = false
  /** The callback of one that fired once runs. */
  let isFiring = false
  const look = (): void => {
    const before = isOpen
    isOpen = isFiring || (!held && open.size > 0)
    if (isOpen !== before) listener?.(isOpen)
  }

  const start = (
    callback: unknown,
    repeats: boolean,
    schedule: (fire: () => void) => NodeJS.Timeout | NodeJS.Immediate,
    args: readonly unknown[],
  ): TimerHandle => {
    if (!isCallback(callback)) throw new TypeError('The timer callback must be a function')
    const run: Callback = callback
    const id = ++lastId
    const fire = (): void => {
      void microtask.then(() => {
        if (held || !open.has(id)) return undefined
        if (isResting()) return keepBack(currentCall(), fire)
        chargeResumed()
        if (repeats) return run(...args)
        open.delete(id)
        return runOnce(run, args)
      })
    }
    const handle = new TimerHandle(id, () => schedule(fire))
    if (disposed) return handle
    open.set(id, handle)
    look()
    if (!held) handle.start()
    return handle
  }
  const runOnce = (run: Callback, args: readonly unknown[]): unknown => {
    isFiring = true
    // Not reached by an execution that is ended: see `onEnded`.
    try {
      return run(...args)
    } finally {
      isFiring = false
      look()
    }
  }
  const clear = (timer: unknown): void => {
    const id = Number(
      timer instanceof TimerHandle || typeof timer === 'number' ? timer : Number.NaN,
    )
    open.get(id)?.stop()
    open.delete(id)
    look()
  }

  return {
    globals: {
      setTimeout: (callback: unknown, delayMs?: unknown, ...args: unknown[]) =>
        start(callback, false, (fire) => setTimeout(fire, toDelayMs(delayMs)), args),
      setInterval: (callback: unknown, delayMs?: unknown, ...args: unknown[]) =>
        start(callback, true, (fire) => setInterval(fire, toDelayMs(delayMs)), args),
      setImmediate: (callback: unknown, ...args: unknown[]) =>
        start(callback, false, (fire) => setImmediate(fire), args),
      clearTimeout: clear,
      clearInterval: clear,
      clearImmediate: clear,
    },
    hold: () => {
      held = true
      for (const handle of open.values()) handle.stop()
      look()
    },
    resume: () => {
      if (!held) return
      held = false
      look()
      for (const handle of open.values()) handle.start()
    },
    onEnded: () => {
      isFiring = false
    },
    observe: (next) => {
      if (isOpen) listener?.(false)
      listener = next
      if (isOpen) listener?.(true)
    },
    dispose: () => {
      disposed = true
      for (const handle of open.values()) handle.stop()
      open.clear()
      look()
    },
  }
}

/** What the timer globals return: enough of Node's `Timeout` for libraries, and a number to the web. */
class TimerHandle {
  readonly #id: number
  readonly #schedule: () => NodeJS.Timeout | NodeJS.Immediate
  #timer: NodeJS.Timeout | NodeJS.Immediate | null = null

  constructor(id: number, schedule: () => NodeJS.Timeout | NodeJS.Immediate) {
    this.#id = id
    this.#schedule = schedule
  }

  start(): void {
    this.#timer = this.#schedule().unref()
  }

  stop(): void {
    const timer = this.#timer
    this.#timer = null
    if (timer === null) return
    if ('refresh' in timer) clearTimeout(timer)
    else clearImmediate(timer)
  }

  /** A container's timers never keep the process alive, whatever they ask. */
  ref(): this {
    return this
  }

  unref(): this {
    return this
  }

  hasRef(): boolean {
    return false
  }

  refresh(): this {
    if (this.#timer !== null && 'refresh' in this.#timer) this.#timer.refresh()
    return this
  }

  [Symbol.toPrimitive](): number {
    return this.#id
  }
}

/** As Node takes it (`lib/internal/timers.js`), but without the process warning for each that it corrects. */
function toDelayMs(delayMs: unknown): number {
  const number = Number(delayMs)
  return number >= 1 && number <= maxDelayMs ? number : 1
}

function isCallback(value: unknown): value is Callback {
  return typeof value === 'function'
}
