import { setImmediate } from 'node:timers/promises'
import { expect, it } from 'vitest'
import {
  type Attribution,
  attributionOfLoad,
  chargeMicrotask,
  chargeTime,
  currentCall,
} from './attribution.ts'
import { microtask } from './microtask.ts'

const attribution: Attribution = {
  ...attributionOfLoad('shop/card@0'),
  requestId: 'req-1',
}

it('charges a microtask and what it starts, and neither the host nor the microtasks after it', async () => {
  const seen: Record<string, string | undefined> = {}
  const note = (at: string): void => {
    seen[at] = currentCall()?.requestId ?? 'none'
  }
  const charged = microtask.then(async () => {
    chargeMicrotask(attribution)
    note('within')
    await microtask
    note('after an await')
    await setImmediate()
    return note('after a turn of the loop')
  })
  void microtask.then(() => note('the next microtask'))
  await charged
  note('the host')
  expect(seen).toEqual({
    within: 'req-1',
    'after an await': 'req-1',
    'after a turn of the loop': 'req-1',
    'the next microtask': 'none',
    'the host': 'none',
  })
})

it('charges no time to a call in the code of nobody', () => {
  const counted: number[] = []
  const metrics = {
    successes: 0,
    recordLoopTime: (_: number, calls: number): number => counted.push(calls),
  }
  chargeTime({ ...attribution, metrics, timedFor: 16 })
  chargeTime(undefined)
  expect(counted).toEqual([16])
})
