import { describe, expect, it } from 'vitest'
import type { LoadResult } from '../http-load.ts'
import type { Launch } from '../measure-round.ts'
import { judgeHeap } from './heap.ts'
import { judgeSlices } from './slices.ts'
import { judgeStart } from './start.ts'
import { judgeSwap } from './swap.ts'
import { judgeThroughput } from './throughput.ts'
import { judgeWatchdog } from './watchdog.ts'

const scale = { functions: 1000, warmUpMs: 10_000, seed: 1 }

const launch = (requestsPerSecond: number): Launch => ({
  requestsPerSecond,
  turns: [requestsPerSecond],
  warmUpRequests: 1000,
  cpuMicrosPerRequest: 50,
  rssBytes: 2 ** 27,
  generatorBusy: 0.4,
  open: null,
})
const round = (needle: number) => ({
  needle: launch(needle),
  manyRoutes: launch(1000),
  manyRoutesAgain: launch(1000),
  oneRoute: launch(4000),
})

describe('throughput', () => {
  it('is compared with as many routes, by the lower end of the interval', () => {
    expect(judgeThroughput([950, 950, 950].map(round), scale).isMet).toBe(true)
    const { isMet, figure } = judgeThroughput([950, 950, 700].map(round), scale)
    expect({ isMet, figure }).toEqual({ isMet: false, figure: '0.950 [0.700, 0.950]' })
  })
})

const pair = (on: number) => ({ on, off: 1000 })

describe('watchdog', () => {
  it('is judged by the lower end of the interval', () => {
    expect(judgeWatchdog([990, 990, 990].map(pair), scale).isMet).toBe(true)
    expect(judgeWatchdog([990, 990, 970].map(pair), scale).isMet).toBe(false)
  })
})

describe('heap', () => {
  const kb = 1024
  const use = { idle: 10 * kb, active: 250 * kb, bareContext: 150 * kb, activeRss: 400 * kb }

  it('leaves the bare context out', () => {
    const [idle, active] = judgeHeap([use], scale)
    expect(idle?.figure).toBe('10.0 KB, at most 10.0 KB')
    expect(active?.figure).toBe('100.0 KB, at most 100.0 KB')
    expect(active?.isMet).toBe(true)
  })

  it('is judged by the worst launch', () => {
    const worse = { ...use, idle: 21 * kb, active: 271 * kb }
    expect(judgeHeap([use, use, worse], scale).map(({ isMet }) => isMet)).toEqual([false, false])
  })
})

describe('start', () => {
  it('is judged by the slowest', () => {
    const moments = { began: 30, imported: 300, ready: 700, listening: 710 }
    const start = (totalMs: number) => ({ totalMs, moments })
    expect(judgeStart([800, 1000].map(start), scale).isMet).toBe(true)
    expect(judgeStart([800, 800, 1001].map(start), scale).isMet).toBe(false)
  })
})

describe('swap', () => {
  const result: LoadResult = {
    answered: 1000,
    failed: 0,
    firstFailure: null,
    durationMs: 5000,
    p50Ms: 1,
    p99Ms: 10,
    latenciesMs: [],
    maxMs: 20,
    busy: 0.5,
  }
  const swap = { ratePerSecond: 200, quiet: result, during: result }

  it('bears no failed request', () => {
    expect(judgeSwap([swap], scale).isMet).toBe(true)
    const broken = { ...swap, during: { ...result, failed: 1, firstFailure: '503' } }
    const { isMet, figure, details } = judgeSwap([swap, broken], scale)
    expect(isMet).toBe(false)
    expect(figure).toContain('1 of 2001 failed')
    expect(details).toContain('the first failure: 503')
  })
})

describe('longest turn', () => {
  const turn = { totalMs: 30, withoutGcMs: 12, ownMs: 8, cpuMs: 25 }
  const long = { ...turn, ownMs: 11 }
  const calm = { first: turn, change: turn, restart: turn, counting: turn }

  it('counts neither garbage collection nor the top level of functions', () => {
    expect(judgeSlices([{ usual: calm, unmarked: calm }], scale).isMet).toBe(true)
  })

  it('is judged where garbage collection is left out', () => {
    const usual = { ...calm, first: long, change: long }
    expect(judgeSlices([{ usual, unmarked: calm }], scale).isMet).toBe(true)
    const unmarked = { ...calm, change: long }
    expect(judgeSlices([{ usual: calm, unmarked }], scale).isMet).toBe(false)
  })

  it('is judged by the median launch of each activation, and the worst is told', () => {
    const first = { usual: calm, unmarked: { ...calm, first: long } }
    const change = { usual: calm, unmarked: { ...calm, change: long } }
    const quiet = { usual: calm, unmarked: calm }
    const seldom = judgeSlices([first, quiet, change], scale)
    expect(seldom).toMatchObject({ isMet: true, figure: '8.0 ms, at most 11.0 ms' })
    expect(seldom.details.join('\n')).toContain('over 10.0 ms: 2 of 9')
    expect(judgeSlices([first, quiet, first], scale).isMet).toBe(false)
    const restart = { usual: calm, unmarked: { ...calm, restart: long } }
    expect(judgeSlices([restart, quiet, restart], scale).isMet).toBe(false)
  })

  it('is told beside that of a loop that only counts', () => {
    const unmarked = { ...calm, counting: { ...turn, ownMs: 6.5 } }
    const { isMet, details } = judgeSlices([{ usual: calm, unmarked }], scale)
    expect(isMet).toBe(true)
    expect(details.join('\n')).toMatch(/only counts.* 6\.5 ms \(at most 6\.5 ms\)/)
  })
})
