import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { createDeadlineWheel, DeadlineEntry } from './deadline-wheel.ts'

class Probe extends DeadlineEntry {
  firedAtMs: number[] = []
  readonly #nowMs: () => number

  constructor(nowMs: () => number) {
    super()
    this.#nowMs = nowMs
  }

  override onDeadline(): void {
    this.firedAtMs.push(this.#nowMs())
  }
}

function createFixture(startMs = 1000.5) {
  let now = startMs
  let running: (() => void) | null = null
  const wheel = createDeadlineWheel({
    tickMs: 10,
    nowMs: () => now,
    every: (tick) => {
      running = tick
      return () => {
        running = null
      }
    },
  })
  const advance = (ms: number, stepMs = 10): void => {
    for (const end = now + ms; now < end; running?.()) now = Math.min(now + stepMs, end)
  }
  return { wheel, advance, probe: () => new Probe(() => now), isTicking: () => running !== null }
}

it('fires each entry once, never early and within two ticks', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 20_000 }), { maxLength: 30 }), (delays) => {
      const { wheel, advance, probe } = createFixture()
      const start = wheel.nowMs()
      const probes = delays.map((delayMs) => {
        const entry = probe()
        wheel.arm(entry, delayMs)
        return { entry, delayMs }
      })
      advance(21_000)
      for (const { entry, delayMs } of probes) {
        expect(entry.firedAtMs).toHaveLength(1)
        const late = (entry.firedAtMs[0] ?? 0) - start - delayMs
        expect(late).toBeGreaterThanOrEqual(0)
        expect(late).toBeLessThanOrEqual(20)
      }
      expect(wheel.size).toBe(0)
    }),
    { numRuns: 50 },
  )
})

it('fires what has no time left, armed exactly on a tick, at the next one', () => {
  const { wheel, advance, probe } = createFixture(1000)
  wheel.arm(probe(), 5000)
  advance(10)
  const entry = probe()
  wheel.arm(entry, 0)
  advance(10)
  expect(entry.firedAtMs).toEqual([1020])
})

it('does not fire what was disarmed', () => {
  const { wheel, advance, probe } = createFixture()
  const entries = [probe(), probe(), probe()]
  for (const entry of entries) wheel.arm(entry, 100)
  const [first, second, third] = entries
  if (second === undefined) throw new Error('unreachable')
  wheel.disarm(second)
  wheel.disarm(second)
  advance(200)
  expect([first, second, third].map((entry) => entry?.firedAtMs.length)).toEqual([1, 0, 1])
})

it('moves the deadline of what is armed again', () => {
  const { wheel, advance, probe } = createFixture()
  const entry = probe()
  wheel.arm(entry, 100)
  wheel.arm(entry, 300)
  expect(wheel.size).toBe(1)
  advance(200)
  expect(entry.firedAtMs).toHaveLength(0)
  advance(200)
  expect(entry.firedAtMs).toHaveLength(1)
})

it('sweeps everything overdue after a stall longer than its round', () => {
  const { wheel, advance, probe } = createFixture()
  const entries = Array.from({ length: 600 }, (_, index) => {
    const entry = probe()
    wheel.arm(entry, index * 10)
    return entry
  })
  advance(60_000, 60_000)
  expect(entries.every((entry) => entry.firedAtMs.length === 1)).toBe(true)
})

it('stops ticking when idle and starts again', () => {
  const { wheel, advance, probe, isTicking } = createFixture()
  expect(isTicking()).toBe(false)
  wheel.arm(probe(), 10)
  expect(isTicking()).toBe(true)
  advance(3000)
  expect(isTicking()).toBe(false)
  const entry = probe()
  wheel.arm(entry, 50)
  advance(100)
  expect(entry.firedAtMs).toHaveLength(1)
})
