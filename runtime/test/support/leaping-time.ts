import { onTestFinished, vi } from 'vitest'

/**
 * Lets the monotonic time of this process leap ahead when told to, until the test ends. A function
 * takes its time by it in no time, and the load of the machine makes no difference.
 */
export function letTimeLeap(): (ms: number) => void {
  const now = performance.now.bind(performance)
  let aheadMs = 0
  const spy = vi.spyOn(performance, 'now').mockImplementation(() => now() + aheadMs)
  onTestFinished(() => spy.mockRestore())
  return (ms) => {
    aheadMs += ms
  }
}
