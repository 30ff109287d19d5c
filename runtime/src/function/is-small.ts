import { isMap, isNativeError, isProxy, isSet } from 'node:util/types'

const maxValues = 1000
const maxCharacters = 100_000
/** As deep as `inspectFailure` looks, and a bit. */
const maxDepth = 6
/** As many as `inspect` shows of a list, a map or a set. */
const maxItems = 100

/**
 * Whether a value holds so little that to render it takes well below a millisecond. Looks at no more
 * than that itself, and runs no getter but that of an error's `stack`.
 */
export function isSmall(value: unknown): boolean {
  let values = maxValues
  let characters = maxCharacters

  const fits = (value: unknown, depth: number): boolean => {
    if ((values -= 1) < 0) return false
    if (typeof value === 'string') return (characters -= value.length) >= 0
    if (typeof value !== 'object' || value === null || depth > maxDepth) return true
    // Its traps are the author's code.
    if (isProxy(value)) return false
    for (const part of partsOf(value)) if (!fits(part, depth + 1)) return false
    return true
  }
  return fits(value, 0)
}

function* partsOf(value: object): Iterable<unknown> {
  // Bytes are numbers: an `in` over them would make a text of each index first.
  if (ArrayBuffer.isView(value)) return
  if (Array.isArray(value)) {
    const shown = Math.min(value.length, maxItems)
    for (let index = 0; index < shown; index += 1) yield own(value, String(index))
    return
  }
  if (isMap(value)) for (const entry of entriesOf(value)) yield* entry
  if (isSet(value)) yield* valuesOf(value)
  if (isNativeError(value)) {
    yield stackOf(value)
    for (const key of ['message', 'cause', 'errors']) yield own(value, key)
  }
  for (const key in value) yield own(value, key)
}

/** Of one whose getter throws, `inspect` makes do without, too. */
function stackOf(error: Error): unknown {
  try {
    return error.stack
  } catch {
    return undefined
  }
}

function own(value: object, key: string): unknown {
  return Object.getOwnPropertyDescriptor(value, key)?.value
}

// Both of any realm, whatever an author has made of its prototypes.

function entriesOf(map: ReadonlyMap<unknown, unknown>): Iterable<readonly unknown[]> {
  return first(Map.prototype.entries.call(map))
}

function valuesOf(set: ReadonlySet<unknown>): Iterable<unknown> {
  return first(Set.prototype.values.call(set))
}

function* first<Item>(items: Iterable<Item>): Iterable<Item> {
  let left = maxItems
  for (const item of items) {
    if ((left -= 1) < 0) return
    yield item
  }
}
