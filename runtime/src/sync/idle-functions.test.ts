import { expect, it } from 'vitest'
import { createIdleFunctions } from './idle-functions.ts'

const use = (name: string, calls: number, isBusy = false) => ({ function: name, calls, isBusy })

it('names functions whose counter stands still, the longest first', () => {
  const idle = createIdleFunctions({ idleMs: 100, now: 0 })
  expect(idle.observe([use('a', 0), use('b', 5)], 0)).toEqual([])
  expect(idle.observe([use('a', 0), use('b', 5)], 50)).toEqual([])
  expect(idle.observe([use('a', 1), use('b', 5)], 100)).toEqual(['b'])
  expect(idle.observe([use('a', 1), use('b', 5)], 250)).toEqual(['b', 'a'])
})

it('never names one with calls in flight', () => {
  const idle = createIdleFunctions({ idleMs: 100, now: 0 })
  for (let now = 0; now < 1000; now += 50) {
    expect(idle.observe([use('slow', 1, true)], now)).toEqual([])
  }
})

it('begins anew with one that was unloaded and loaded again', () => {
  const idle = createIdleFunctions({ idleMs: 100, now: 0 })
  idle.observe([use('a', 3)], 0)
  expect(idle.observe([use('a', 3)], 100)).toEqual(['a'])
  idle.observe([], 150)
  expect(idle.observe([use('a', 4)], 200)).toEqual([])
})

it('knows who was called lately, also from before a restart, and forgets in time', () => {
  const idle = createIdleFunctions({ idleMs: 100, recent: ['old'], now: 0 })
  expect([...idle.recent]).toEqual(['old'])
  idle.observe([use('a', 1), use('never', 0)], 50)
  expect([...idle.recent]).toEqual(['old', 'a'])
  idle.observe([use('a', 1), use('never', 0)], 100)
  expect([...idle.recent]).toEqual(['a'])
  idle.observe([], 150)
  expect([...idle.recent]).toEqual([])
})
