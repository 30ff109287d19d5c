import { PerformanceObserver } from 'node:perf_hooks'
import { setTimeout as delay } from 'node:timers/promises'
import type { Span } from '../event-loop-turns.ts'

/** Notes when garbage was collected on the main thread; what V8 does beside it stops nobody. */
export function watchCollections(): { take(): Promise<Span[]> } {
  const spans: Span[] = []
  const observer = new PerformanceObserver((list) => {
    for (const { startTime, duration } of list.getEntries()) {
      spans.push({ from: startTime, to: startTime + duration })
    }
  })
  observer.observe({ entryTypes: ['gc'] })
  return {
    take: async () => {
      // Observers are told later.
      await delay(50)
      return spans.splice(0)
    },
  }
}
