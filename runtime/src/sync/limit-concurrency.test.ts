import { expect, it } from 'vitest'
import { limitConcurrency } from './limit-concurrency.ts'

it('runs at most as many tasks at once as it may, in order, failures included', async () => {
  const limit = limitConcurrency(3)
  let running = 0
  let most = 0
  const begun: number[] = []
  const results = await Promise.allSettled(
    Array.from({ length: 20 }, (_, index) =>
      limit(async () => {
        begun.push(index)
        most = Math.max(most, ++running)
        await new Promise((resolve) => setImmediate(resolve))
        running--
        if (index % 4 === 0) throw new Error(`task ${index}`)
        return index
      }),
    ),
  )
  expect(most).toBe(3)
  expect(begun).toEqual(Array.from({ length: 20 }, (_, index) => index))
  expect(results.filter(({ status }) => status === 'rejected')).toHaveLength(5)
})
