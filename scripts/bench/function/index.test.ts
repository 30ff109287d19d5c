import { expect, it } from 'vitest'
import { price } from './price.ts'

it('multiplies the price of one by the quantity', async () => {
  expect(await price({ sku: 'p-1', quantity: 3 })).toEqual({ title: 'Product p-1', cents: 3897 })
})
