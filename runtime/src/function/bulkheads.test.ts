import { setTimeout as delay } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, it } from 'vitest'
import { createBulkheads } from './bulkheads.ts'

setFlagsFromString('--expose-gc')
const collectGarbage: () => void = runInNewContext('gc')

it('is one for all that ask for a function while anybody has it', async () => {
  const bulkheads = createBulkheads()
  const held = bulkheads.of('shop/card')
  await delay(1)
  collectGarbage()
  expect(bulkheads.of('shop/card')).toBe(held)
  expect(bulkheads.of('shop/cart')).not.toBe(held)
})

it('keeps none, nor its name, that nobody has', async () => {
  const bulkheads = createBulkheads()
  const held = bulkheads.of('shop/card')
  for (let index = 0; index < 100; index++) bulkheads.of(`shop/gone-${index}`)
  expect(bulkheads.size).toBe(101)
  // In turns of their own: what was asked for in a turn is kept until its end.
  await expect
    .poll(() => {
      collectGarbage()
      return bulkheads.size
    })
    .toBe(1)
  expect(bulkheads.of('shop/card')).toBe(held)
})
