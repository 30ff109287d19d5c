import type { Clock } from '../clock.ts'
import type { ActiveCalls } from './active-calls.ts'

export interface DrainOptions {
  readonly clock: Clock
  readonly timeoutMs: number
  /** Ends the wait. */
  readonly signal?: AbortSignal | undefined
}

/** Resolves when no call is in flight, or when time is up; says which. */
export async function drained(
  active: ActiveCalls,
  { clock, timeoutMs, signal }: DrainOptions,
): Promise<'drained' | 'timedOut'> {
  if (active.size === 0) return 'drained'
  const idle = Promise.withResolvers<'drained'>()
  const waited = new AbortController()
  const stopWaiting = active.onIdle(() => idle.resolve('drained'))
  const ended = signal === undefined ? waited.signal : AbortSignal.any([waited.signal, signal])
  const result = await Promise.race([
    idle.promise,
    clock.sleep(timeoutMs, ended).then(() => 'timedOut' as const),
  ])
  stopWaiting()
  waited.abort()
  return result
}
