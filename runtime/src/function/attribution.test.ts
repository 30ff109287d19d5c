import { setImmediate } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { type Attribution, chargeMicrotask, currentCall } from './attribution.ts'
import { microtask } from './microtask.ts'

const attribution: Attribution = { revision: 'shop/card@0', requestId: 'req-1', active: true }

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
