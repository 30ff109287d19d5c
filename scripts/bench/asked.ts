import type { Exchange } from './http-connection.ts'
import { manyExchanges } from './many/many-exchanges.ts'
import { priceExchanges } from './price-exchanges.ts'

/** Where every arm of `npm run bench` serves its function. */
export const pricePath = '/api/bench/price'

/** What a load asks for, as a message from process to process. */
export type Asked =
  /** The one function `npm run bench` measures. */
  | { readonly what: 'price' }
  /** The first so many functions of `npm run bench:many`, uniformly; any of these versions is right. */
  | {
      readonly what: 'many'
      readonly functions: number
      readonly versions: readonly number[]
    }

export function exchangesOf(asked: Asked): readonly Exchange[] {
  if (asked.what === 'many') return manyExchanges(asked)
  return priceExchanges({
    paths: [pricePath],
    perPath: 32,
    answers: (price) => [price],
  })
}
