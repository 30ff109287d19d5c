import { expect, it } from 'vitest'
import type { Launch } from './measure-round.ts'
import { goalsOf, type Round, summarise } from './summary.ts'

const launch = (requestsPerSecond: number): Launch => ({
  requestsPerSecond,
  turns: [requestsPerSecond, requestsPerSecond, requestsPerSecond],
  warmUpRequests: requestsPerSecond / 2,
  cpuMicrosPerRequest: 50,
  rssBytes: 2 ** 27,
  generatorBusy: 0.4,
  open: null,
})

const round = (baseline: number, needle: number): Round => ({
  baseline: launch(baseline),
  baselineAgain: launch(baseline),
  ajv: launch(baseline * 1.1),
  needle: launch(needle),
})

it('meets the goal when the lower end of the interval does', () => {
  const summary = summarise([round(1000, 950), round(500, 475), round(800, 760)], 1)
  expect(summary.ratios.needle).toEqual({ median: 0.95, low: 0.95, high: 0.95 })
  expect(summary.goalMet).toBe(true)
})

it('misses the goal when only the median meets it', () => {
  const summary = summarise([round(1000, 950), round(1000, 950), round(1000, 700)], 1)
  expect(summary.ratios.needle.median).toBe(0.95)
  expect(summary.goalMet).toBe(false)
})

it('compares the hand-written route with itself as the noise floor', () => {
  const rounds = [1000, 1100, 900].map((again): Round => {
    const { baseline, ajv, needle } = round(1000, 950)
    return { baseline, baselineAgain: launch(again), ajv, needle }
  })
  const { noise } = summarise(rounds, 1).ratios
  expect(noise).toEqual({ median: 1, low: 0.9, high: 1.1 })
})

it('compares what was measured in the same turn, whatever the machine did between turns', () => {
  const { baseline, baselineAgain, ajv, needle } = round(1000, 950)
  const swinging: Round = {
    baseline: { ...baseline, turns: [1000, 500, 2000] },
    needle: { ...needle, turns: [950, 475, 1900] },
    baselineAgain,
    ajv,
  }
  expect(summarise([swinging], 1).ratios.needle.median).toBe(0.95)
})

it('tells apart what was made in the warm-up', () => {
  const { needle, ...others } = round(1000, 950)
  const compiling = { ...others, needle: { ...needle, warmUpRequests: 400 } }
  const { ratios, warmUp } = summarise([compiling], 1)
  expect(warmUp.median).toBe(0.8)
  expect(ratios.needle.median).toBe(0.95)
})

const openAt = (p99Ms: number) => ({ open: { ratePerSecond: 100, p50Ms: 0.1, p99Ms } })

it('judges latency by the upper end of the interval of the rounds', () => {
  const at = (baselineMs: number, needleMs: number): Round => {
    const { baseline, baselineAgain, ajv, needle } = round(1000, 950)
    return {
      baseline: { ...baseline, ...openAt(baselineMs) },
      baselineAgain: { ...baselineAgain, ...openAt(baselineMs) },
      ajv,
      needle: { ...needle, ...openAt(needleMs) },
    }
  }
  const steady = summarise([at(1, 1.2), at(10, 12), at(2, 2.4)], 1).latency
  expect(steady).toMatchObject({ needle: { median: 1.2, high: 1.2 }, goalMet: true })
  const spread = summarise([at(1, 1.2), at(10, 12), at(2, 5)], 1).latency
  expect(spread).toMatchObject({ needle: { median: 1.2, high: 2.5 }, goalMet: false })
  expect(summarise([round(1000, 950)], 1).latency).toBeNull()
})

it('has a goal for each of both ratios, and none for latency that was left out', () => {
  const summary = summarise([round(1000, 940)], 1)
  const throughput = { goal: 'lower end at least 0.95', isMet: false }
  expect(goalsOf(summary)).toMatchObject([throughput])
  const estimate = { median: 1.1, low: 1, high: 1.2 }
  const latency = { needle: estimate, noise: estimate, goal: 1.25, goalMet: true }
  expect(goalsOf({ ...summary, latency })).toMatchObject([
    throughput,
    { goal: 'upper end at most 1.25', isMet: true },
  ])
})
