import { describe, expect, it } from 'vitest'
import { createStallJudge } from './stall.ts'

const limitMs = 300

/** Lets ticks of 20 ms pass without a heartbeat; `stack` is what a look finds. Returns when it is to be stopped. */
function stall(
  judge: ReturnType<typeof createStallJudge>,
  {
    forMs,
    stack,
    beats = 1,
  }: { forMs: number; stack: (atMs: number) => string | null; beats?: number },
): number | null {
  judge.observe({ beats, isHeld: false, elapsedMs: 20, limitMs })
  for (let atMs = 20; atMs <= forMs; atMs += 20) {
    if (!judge.observe({ beats, isHeld: false, elapsedMs: 20, limitMs })) continue
    const revision = stack(atMs)
    if (revision !== null && judge.isRunaway(revision)) return atMs
  }
  return null
}

describe('a stalled event loop', () => {
  it('is ended at the limit when one revision was on the stack all the time', () => {
    const judge = createStallJudge({ maxElapsedMs: 60 })
    expect(stall(judge, { forMs: 1000, stack: () => 'a' })).toBe(320)
  })

  it('spares a function that began after a stall of the host', () => {
    const judge = createStallJudge({ maxElapsedMs: 60 })
    expect(stall(judge, { forMs: 400, stack: (atMs) => (atMs < 280 ? null : 'a') })).toBe(null)
  })

  it('spares two functions that follow one another', () => {
    const judge = createStallJudge({ maxElapsedMs: 60 })
    expect(stall(judge, { forMs: 420, stack: (atMs) => (atMs < 200 ? 'a' : 'b') })).toBe(null)
  })

  it('begins anew with every heartbeat and counts no hold', () => {
    const judge = createStallJudge({ maxElapsedMs: 60 })
    for (let beats = 0; beats < 100; beats += 1) {
      expect(stall(judge, { forMs: 120, stack: () => 'a', beats })).toBe(null)
    }
    for (let tick = 0; tick < 100; tick += 1) {
      expect(judge.observe({ beats: 99, isHeld: true, elapsedMs: 20, limitMs })).toBe(false)
    }
  })

  it('counts no time in which its own thread slept', () => {
    const judge = createStallJudge({ maxElapsedMs: 60 })
    judge.observe({ beats: 1, isHeld: false, elapsedMs: 20, limitMs })
    expect(judge.observe({ beats: 1, isHeld: false, elapsedMs: 60_000, limitMs })).toBe(false)
    expect(judge.stalledMs).toBe(60)
  })

  it('is ended again when that came to nothing', () => {
    const judge = createStallJudge({ maxElapsedMs: 60 })
    stall(judge, { forMs: 1000, stack: () => 'a' })
    let waitedMs = 20
    while (!judge.observe({ beats: 1, isHeld: false, elapsedMs: 20, limitMs })) waitedMs += 20
    expect(waitedMs).toBe(40)
    expect(judge.isRunaway('a')).toBe(true)
  })

  it('is ended soon after the limit when several take turns in it', () => {
    const judge = createStallJudge({ maxElapsedMs: 60 })
    const endedAt = stall(judge, { forMs: 1000, stack: (atMs) => `${(atMs / 20) % 3}` })
    expect(endedAt).toBeLessThanOrEqual(360)
  })

  it('is ended at once when the revision was stopped just before', () => {
    const judge = createStallJudge({ maxElapsedMs: 60 })
    stall(judge, { forMs: 1000, stack: () => 'a' })
    expect(stall(judge, { forMs: 1000, stack: () => 'a', beats: 2 })).toBe(100)
    expect(stall(judge, { forMs: 1000, stack: () => 'b', beats: 3 })).toBe(300)
  })

  it.each([150, 300])('costs one look more when the look after %i ms is lost', (lostAfterMs) => {
    expect(stallWithLostLook(createStallJudge({ maxElapsedMs: 60 }), lostAfterMs)).toBeLessThan(480)
  })
})

/** The first look from `lostAfterMs` on gets no answer for 120 ms. Returns when the stall is to be ended. */
function stallWithLostLook(
  judge: ReturnType<typeof createStallJudge>,
  lostAfterMs: number,
): number | null {
  const wantsLook = (): boolean =>
    judge.observe({ beats: 1, isHeld: false, elapsedMs: 20, limitMs })
  let lostUntilMs: number | null = null
  wantsLook()
  for (let atMs = 20; atMs <= 1000; atMs += 20) {
    const wanted = wantsLook()
    if (atMs === lostUntilMs) judge.onLookLost()
    else if (!wanted || (lostUntilMs !== null && atMs < lostUntilMs)) continue
    else if (lostUntilMs === null && atMs >= lostAfterMs) lostUntilMs = atMs + 120
    else if (judge.isRunaway('a')) return atMs
  }
  return null
}
