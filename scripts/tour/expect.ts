import { isDeepStrictEqual } from 'node:util'

/** @throws Error that shows both when they are not deeply equal. */
export function expectEqual(actual: unknown, expected: unknown, what: string): void {
  if (isDeepStrictEqual(actual, expected)) return
  throw new Error(
    `${what}: expected ${JSON.stringify(expected)}, got ${JSON.stringify(actual)?.slice(0, 2000)}`,
  )
}

/** @throws Error saying `what` when it does not hold. */
export function expectThat(holds: boolean, what: string): void {
  if (!holds) throw new Error(what)
}
