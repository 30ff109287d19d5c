import { isBoxedPrimitive, isMap, isNativeError, isProxy, isSet } from 'node:util/types'

const maxValues = 1000
/** Of what is no text; most have fewer. */
const primitiveCharacters = 8
/** Stands for what a getter would give. */
const accessor = Symbol('accessor')

interface Extent {
  readonly maxCharacters: number
  /** Values further down are not written. */
  readonly maxDepth: number
  /** So many of a list, a map or a set are. */
  readonly maxItems: number
  /** Whether to write a value runs its getters and its `toJSON`, which may come to anything. */
  readonly runsCode: boolean
}

/** What `inspect` shows, as `inspectFailure` asks for it, and a bit. */
const inspected: Extent = { maxCharacters: 100_000, maxDepth: 6, maxItems: 100, runsCode: false }

/**
 * Whether a value holds so little that to render it takes well below a millisecond. Looks at no more
 * than that itself, and runs no getter but that of an error's `stack`.
 */
export function isSmall(value: unknown): boolean {
  return measure(value, inspected) <= inspected.maxCharacters
}

/**
 * About how many characters a value has as JSON; Infinity when they are more than `maxCharacters`, or
 * it has more than 1000 values, or is a proxy, or holds an error or code that writing it would run. Runs no getter
 * but that of an error's `stack`.
 */
export function charactersOf(value: unknown, maxCharacters: number): number {
  return measure(value, asJson(maxCharacters, { runsCode: true }))
}

/** Whether only the code it brings keeps a value from being so small. */
export function bringsCode(value: unknown, maxCharacters: number): boolean {
  const sizeWithout = measure(value, asJson(maxCharacters, { runsCode: false }))
  return sizeWithout !== Infinity && charactersOf(value, maxCharacters) === Infinity
}

function asJson(maxCharacters: number, { runsCode }: Pick<Extent, 'runsCode'>): Extent {
  return { maxCharacters, maxDepth: Infinity, maxItems: Infinity, runsCode }
}

function measure(value: unknown, extent: Extent): number {
  let values = maxValues
  let characters = 0

  const fits = (value: unknown, depth: number): boolean => {
    if ((values -= 1) < 0) return false
    if (typeof value === 'string') return (characters += value.length) <= extent.maxCharacters
    if (extent.runsCode && (value === accessor || writesItself(value))) return false
    // The digits of a larger one may be millions.
    if (typeof value === 'bigint' && BigInt.asIntN(64, value) !== value) return false
    if (typeof value !== 'object' || value === null) {
      return (characters += primitiveCharacters) <= extent.maxCharacters
    }
    if (depth > extent.maxDepth) return true
    // Its traps are the author's code.
    if (isProxy(value)) return false
    for (const part of partsOf(value, extent.maxItems)) if (!fits(part, depth + 1)) return false
    return true
  }
  return fits(value, 0) ? characters : Infinity
}

function* partsOf(value: object, maxItems: number): Iterable<unknown> {
  // Bytes are numbers: an `in` over them would make a text of each index first.
  if (ArrayBuffer.isView(value)) {
    for (let left = Math.min(value.byteLength, maxItems); left > 0; left -= 1) yield 0
    return
  }
  if (Array.isArray(value)) {
    const shown = Math.min(value.length, maxItems)
    for (let index = 0; index < shown; index += 1) yield own(value, String(index))
    return
  }
  if (isMap(value)) for (const entry of first(entriesOf(value), maxItems)) yield* entry
  if (isSet(value)) yield* first(valuesOf(value), maxItems)
  if (isNativeError(value)) {
    yield stackOf(value)
    for (const key of ['message', 'cause', 'errors']) yield own(value, key)
  }
  for (const key in value) {
    yield key
    yield own(value, key)
  }
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
  const property = Object.getOwnPropertyDescriptor(value, key)
  return property?.get === undefined ? property?.value : accessor
}

/** Whether JSON asks the value itself what it is, or would make nothing of it. */
function writesItself(value: unknown): boolean {
  if (isNativeError(value)) return true
  if (typeof value !== 'function' && typeof value !== 'object') return false
  // Its `toString` is asked.
  if (isBoxedPrimitive(value)) return true
  for (let at: unknown = value; isObject(at); at = Object.getPrototypeOf(at)) {
    if (isProxy(at)) return true
    const property = Object.getOwnPropertyDescriptor(at, 'toJSON')
    if (property !== undefined) {
      return property.get !== undefined || typeof property.value === 'function'
    }
  }
  return false
}

function isObject(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function'
}

// Both of any realm, whatever an author has made of its prototypes.

function entriesOf(map: ReadonlyMap<unknown, unknown>): Iterable<readonly unknown[]> {
  return Map.prototype.entries.call(map)
}

function valuesOf(set: ReadonlySet<unknown>): Iterable<unknown> {
  return Set.prototype.values.call(set)
}

function* first<Item>(items: Iterable<Item>, maxItems: number): Iterable<Item> {
  let left = maxItems
  for (const item of items) {
    if ((left -= 1) < 0) return
    yield item
  }
}
