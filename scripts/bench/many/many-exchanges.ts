import type { Exchange } from '../http-connection.ts'
import { priceExchanges } from '../price-exchanges.ts'
import { createSeededRandom, shuffled } from '../seeded-random.ts'
import { answerOf, manyPath } from './many-function.ts'

/** Requests to the first so many functions, uniformly: in random order, each as often as any other. */
export function manyExchanges({
  functions,
  versions,
}: {
  readonly functions: number
  readonly versions: readonly number[]
}): Exchange[] {
  const indexes = new Map(
    Array.from({ length: functions }, (_, index) => [`/api${manyPath(index)}`, index]),
  )
  return priceExchanges({
    paths: shuffled([...indexes.keys()], createSeededRandom(1)),
    perPath: Math.max(4, Math.ceil(32 / functions)),
    answers: (price, path) =>
      versions.map((version) => answerOf(price, { index: indexes.get(path) ?? 0, version })),
  })
}
