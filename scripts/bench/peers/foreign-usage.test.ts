import { expect, it } from 'vitest'
import { foreignUsage } from './foreign-usage.ts'

it.runIf(process.platform === 'linux')('reads what this process says of itself', () => {
  const until = performance.now() + 60
  while (performance.now() < until) Math.random()
  const { user, system } = process.cpuUsage()
  const { cpuMs, rssBytes } = foreignUsage(process.pid)
  // A tick is 10 ms, user and system time are rounded down each.
  expect(Math.abs((cpuMs ?? 0) - (user + system) / 1000)).toBeLessThan(50)
  expect((rssBytes ?? 0) / process.memoryUsage.rss()).toBeCloseTo(1, 0)
})
