import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { createDeadlineWheel, type DeadlineEntry } from './deadline-wheel.ts'

class Probe implements DeadlineEntry {
  expiresAtMs = 0
  previous: DeadlineEntry | null = null
  next: DeadlineEntry | null = null
  slot = -1
  firedAtMs: number[] = []
  readonly #nowMs: () => number

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs
  }

  onDeadline(): void {
    this.firedAtMs.push(this.#nowMs())
  }
}

function createFixture(startMs = 1000.5) {
  let now = startMs
  let wakeUps = 0
  let timer: { readonly wake: () => void; readonly atMs: number } | null = null
  const wheel = createDeadlineWheel({
    tickMs: 10,
    nowMs: () => now,
    after: (wake, delayMs) => {
      const set = { wake, atMs: now + delayMs }
      timer = set
      return () => {
        if (timer === set) timer = null
      }
    },
  })
  const due = (): boolean => timer !== null && timer.atMs <= now
  const fire = (): void => {
    const { wake } = timer ?? {}
    timer = null
    wakeUps += 1
    wake?.()
  }
  /** `stepMs`: how late a timer may be, as in a process that is held up. */
  const advance = (ms: number, stepMs = 1): void => {
    for (const end = now + ms; now < end;) {
      now = Math.min(now + stepMs, end)
      if (due()) fire()
    }
  }
  return {
    wheel,
    advance,
    probe: () => new Probe(() => now),
    isSleeping: () => timer === null,
    wakeUps: () => wakeUps,
  }
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

it('fires what has no time left, armed in a slot that was visited, in the next one', () => {
  const { wheel, advance, probe } = createFixture(1000)
  wheel.arm(probe(), 10)
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

it('sleeps for good when idle and wakes up again', () => {
  const { wheel, advance, probe, isSleeping } = createFixture()
  expect(isSleeping()).toBe(true)
  wheel.arm(probe(), 10)
  expect(isSleeping()).toBe(false)
  advance(3000)
  expect(isSleeping()).toBe(true)
  const entry = probe()
  wheel.arm(entry, 50)
  advance(100)
  expect(entry.firedAtMs).toHaveLength(1)
})

it('sleeps until the next deadline, however many calls come and go meanwhile', () => {
  const { wheel, advance, probe, wakeUps } = createFixture()
  for (let call = 0; call < 5000; call += 1) {
    const entry = probe()
    wheel.arm(entry, 1000)
    advance(2)
    wheel.disarm(entry)
  }
  expect(wakeUps()).toBeLessThanOrEqual(11)
})

it('wakes up earlier for a deadline before all others', () => {
  const { wheel, advance, probe } = createFixture()
  wheel.arm(probe(), 4000)
  advance(1)
  const entry = probe()
  wheel.arm(entry, 20)
  advance(40)
  expect(entry.firedAtMs).toHaveLength(1)
})

it('goes on after a deadline that throws', () => {
  const { wheel, advance, probe } = createFixture()
  const broken = probe()
  broken.onDeadline = () => {
    throw new Error('broken')
  }
  const later = probe()
  wheel.arm(broken, 10)
  wheel.arm(later, 100)
  expect(() => advance(50)).toThrow('broken')
  advance(100)
  expect(later.firedAtMs).toHaveLength(1)
})
