import { expect, it } from 'vitest'
import { createLoadShedder, type LoadShedder, type ShedChange } from './load-shedder.ts'

/** Samples a tenth of a second apart in which each function takes this part of the event loop. */
function run(
  shedder: LoadShedder,
  options: { samples: number; lateMs: number; shares: Record<string, number>; from?: number },
): ShedChange[] {
  const { samples, lateMs, shares, from = 0 } = options
  const changes: ShedChange[] = []
  for (let at = from; at < from + samples; at += 1) {
    const loopMs = new Map(Object.entries(shares).map(([name, share]) => [name, at * 100 * share]))
    const change = shedder.observe({ lateMs, loopMs: () => loopMs, elapsedMs: 100 })
    if (change !== null) changes.push(change)
  }
  return changes
}

const shares = { light: 0.2, heavy: 0.4, lighter: 0.15, idle: 0 }

it('sheds nobody while the event loop keeps up', () => {
  const shedder = createLoadShedder({ limitMs: 100 })
  expect(run(shedder, { samples: 100, lateMs: 99, shares })).toEqual([])
  expect(shedder.delayMs).toBeCloseTo(99)
})

it('sheds the heaviest first, then the next, and nobody who is not to blame', () => {
  const shedder = createLoadShedder({ limitMs: 100 })
  const changes = run(shedder, { samples: 60, lateMs: 300, shares })
  expect(changes).toMatchObject([
    { kind: 'shed', function: 'heavy', share: expect.closeTo(0.4) },
    { kind: 'shed', function: 'light', share: expect.closeTo(0.2) },
    { kind: 'shed', function: 'lighter', share: expect.closeTo(0.15) },
  ])
  expect([...shedder.shed]).toEqual(['heavy', 'light', 'lighter'])
})

it('says no more than that one had all of the event loop, where a sample overrates it', () => {
  const shedder = createLoadShedder({ limitMs: 100 })
  const changes = run(shedder, { samples: 20, lateMs: 300, shares: { light: 1.5, heavy: 3 } })
  expect(changes[0]).toEqual({ kind: 'shed', function: 'heavy', share: 1 })
})

it('sheds nobody for a stall of the host', () => {
  const shedder = createLoadShedder({ limitMs: 100 })
  expect(run(shedder, { samples: 60, lateMs: 300, shares: { a: 0.05, b: 0.01 } })).toEqual([])
})

it('sheds nobody for one long stall', () => {
  const shedder = createLoadShedder({ limitMs: 100 })
  run(shedder, { samples: 20, lateMs: 0, shares })
  run(shedder, { samples: 1, lateMs: 900, shares, from: 20 })
  expect(run(shedder, { samples: 20, lateMs: 0, shares, from: 21 })).toEqual([])
})

it('restores the last first, once there is room', () => {
  const shedder = createLoadShedder({ limitMs: 100 })
  run(shedder, { samples: 30, lateMs: 300, shares })
  expect(run(shedder, { samples: 30, lateMs: 80, shares, from: 30 })).toEqual([])
  expect(run(shedder, { samples: 40, lateMs: 10, shares, from: 60 })).toMatchObject([
    { kind: 'restored', function: 'lighter' },
    { kind: 'restored', function: 'light' },
    { kind: 'restored', function: 'heavy' },
  ])
  expect(shedder.shed.size).toBe(0)
})

it('does not ask what each function has taken while the event loop keeps up', () => {
  const shedder = createLoadShedder({ limitMs: 100 })
  let asked = 0
  const loopMs = (): ReadonlyMap<string, number> => {
    asked += 1
    return new Map([['heavy', asked * 50]])
  }
  for (let at = 0; at < 30; at += 1) shedder.observe({ lateMs: 49, loopMs, elapsedMs: 100 })
  expect(asked).toBe(0)
  const changes: unknown[] = []
  for (let at = 0; at < 30; at += 1) {
    changes.push(shedder.observe({ lateMs: 300, loopMs, elapsedMs: 100 }))
  }
  expect(asked).toBeGreaterThan(0)
  expect(changes).toContainEqual({ kind: 'shed', function: 'heavy', share: expect.closeTo(0.5) })
})
