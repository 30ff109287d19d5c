import { AsyncLocalStorage } from 'node:async_hooks'
import type { Attribution } from './attribution.ts'
import { outsideAnyCall } from './outside-any-call.ts'

/** Between two that run away, others are to get on whose call takes a few turns, such as for a service. */
const breathMs = 100

let isOn = false
/** Of functions that have answered before, and of others. */
const trusted: (() => void)[] = []
const others: (() => void)[] = []
let willGoOn = false
let breath: NodeJS.Timeout | null = null
let breathEndsAtMs = 0

/**
 * An execution was ended: in the rest of this turn of the event loop nothing of a function is to be
 * entered. Node.js goes on with all timers that are due and all sockets that were ready before it looks
 * at a socket again, and what is entered there may run away as well: a dozen would hold the loop a dozen
 * times as long as one may.
 *
 * When nothing is due in this turn, in the next in which something is. Only takes note: it may interrupt
 * anything.
 */
export function beginRest(): void {
  isOn = true
}

/** Whether what is due is to be kept back. */
export function isResting(): boolean {
  return isOn
}

/**
 * Calls `run` in a turn of its own, in the async context this is called in. Those of functions that have
 * answered before come first; the others a tenth of a second after the last execution that was ended.
 *
 * @param of Whose it is.
 */
export function keepBack(of: Attribution | undefined, run: () => void): void {
  const hasAnswered = (of?.metrics?.successes ?? 0) > 0
  const waiting = hasAnswered ? trusted : others
  waiting.push(AsyncLocalStorage.bind(run))
  if (breath !== null) clearTimeout(breath)
  breath = null
  goOnLater()
}

/** Resolves in a turn of its own. */
export function restOver(of: Attribution | undefined): Promise<void> {
  return new Promise((resolve) => keepBack(of, resolve))
}

function goOnLater(): void {
  if (willGoOn) return
  willGoOn = true
  outsideAnyCall(() => setImmediate(goOn))
}

function goOn(): void {
  willGoOn = false
  breath = null
  const nowMs = performance.now()
  if (isOn) breathEndsAtMs = nowMs + breathMs
  isOn = false
  const isBreathing = nowMs < breathEndsAtMs
  const run = trusted.shift() ?? (isBreathing ? undefined : others.shift())
  run?.()
  if (trusted.length > 0 || (others.length > 0 && !isBreathing)) goOnLater()
  else if (others.length > 0) breath = setTimeout(goOn, breathEndsAtMs - nowMs).unref()
}
