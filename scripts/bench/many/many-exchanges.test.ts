import { expect, it } from 'vitest'
import { manyExchanges } from './many-exchanges.ts'

const pathOf = (request: Buffer): string => request.toString().split(' ')[1] ?? ''

it('asks every function once before it asks any of them again', () => {
  const exchanges = manyExchanges({ functions: 100, versions: [1] })
  const paths = exchanges.map(({ request }) => pathOf(request))
  const all = Array.from({ length: 100 }, (_, index) => `/api/many/f${index}`)
  for (let from = 0; from < paths.length; from += 100) {
    expect(new Set(paths.slice(from, from + 100))).toEqual(new Set(all))
  }
  expect(paths.slice(0, 100)).not.toEqual(all)
})

it('takes the answer of the function that was asked, and of no other', () => {
  const [exchange] = manyExchanges({ functions: 1, versions: [1] })
  expect(exchange?.request.toString()).toContain('{"sku":"p-100","quantity":1}')
  expect(exchange?.rightBodies.map(String)).toEqual([
    '{"title":"Product p-100","cents":1299,"from":"f0 v1"}',
  ])
})

it('takes either version while functions change', () => {
  const [exchange] = manyExchanges({ functions: 1, versions: [1, 2] })
  expect(exchange?.rightBodies.map((body) => JSON.parse(body.toString()).from)).toEqual([
    'f0 v1',
    'f0 v2',
  ])
})
