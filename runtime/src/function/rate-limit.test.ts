import { describe, expect, it } from 'vitest'
import { createManualClock } from '../../test/support/manual-clock.ts'
import { createRateLimit } from './rate-limit.ts'

function createFixture(maxPerSecond: number) {
  const clock = createManualClock()
  const heldBack: number[] = []
  const limit = createRateLimit({
    maxPerSecond,
    clock,
    onHeldBack: (count) => heldBack.push(count),
  })
  const admitted = (tries: number): number =>
    Array.from({ length: tries }, () => limit.admits()).filter(Boolean).length
  const advance = async (ms: number): Promise<void> => {
    clock.advance(ms)
    await Promise.resolve()
  }
  return { clock, heldBack, admitted, advance }
}

describe('a rate limit', () => {
  it('admits so many a second, and as many in the next', async () => {
    const { admitted, advance } = createFixture(3)
    expect(admitted(5)).toBe(3)
    await advance(999)
    expect(admitted(1)).toBe(0)
    await advance(1)
    expect(admitted(5)).toBe(3)
  })

  it('tells how many it held back when the second is over, though nothing comes any more', async () => {
    const { admitted, advance, heldBack } = createFixture(3)
    admitted(3)
    await advance(400)
    admitted(7)
    await advance(599)
    expect(heldBack).toEqual([])
    await advance(1)
    expect(heldBack).toEqual([7])
    await advance(5000)
    expect(heldBack).toEqual([7])
  })

  it('tells before it admits again, even when its sleep was lost', () => {
    const heldBack: number[] = []
    let now = 0
    const limit = createRateLimit({
      maxPerSecond: 1,
      clock: { now: () => now, sleep: () => new Promise(() => {}) },
      onHeldBack: (count) => heldBack.push(count),
    })
    limit.admits()
    limit.admits()
    now = 1000
    expect(limit.admits()).toBe(true)
    expect(heldBack).toEqual([1])
  })

  it('lets pass no more weight a second than it may, and what weighs less still passes', () => {
    const clock = createManualClock()
    const limit = createRateLimit({
      maxPerSecond: 10,
      maxWeightPerSecond: 100,
      clock,
      onHeldBack: () => {},
    })
    expect([60, 60, 40, 1].map((weight) => limit.admits(weight))).toEqual([
      true,
      false,
      true,
      false,
    ])
    clock.advance(1000)
    expect(limit.admits(100)).toBe(true)
  })

  it('goes on when wall time is set back', () => {
    let now = 1e9
    const limit = createRateLimit({
      maxPerSecond: 1,
      clock: { now: () => now, sleep: () => new Promise(() => {}) },
      onHeldBack: () => {},
    })
    expect([limit.admits(), limit.admits()]).toEqual([true, false])
    now = 0
    expect(limit.admits()).toBe(true)
  })
})
