import type { StandardSchemaV1 } from '@standard-schema/spec'
import type * as z from 'zod'

/** A value that equals one of these. */
export type PlainLiteral = string | number | boolean | null

/** The part of a schema whose verdict can be had without its library: see `toPlainSchema`. */
export type PlainSchema =
  | { readonly kind: 'anything' }
  | { readonly kind: 'boolean' }
  /** Bounds of its length, whether that is counted in code points or in UTF-16 units. */
  | { readonly kind: 'string'; readonly bounds: readonly PlainBound[] }
  /** Finite; an integer is a safe one. */
  | { readonly kind: 'number'; readonly isInteger: boolean; readonly bounds: readonly PlainBound[] }
  | { readonly kind: 'literal'; readonly values: readonly PlainLiteral[] }
  | { readonly kind: 'array'; readonly bounds: readonly PlainBound[]; readonly items: PlainSchema }
  | { readonly kind: 'object'; readonly properties: readonly PlainProperty[] }
  | { readonly kind: 'nullable'; readonly of: PlainSchema }

export interface PlainBound {
  readonly than: '>' | '>=' | '<' | '<='
  readonly value: number
}

export interface PlainProperty {
  readonly name: string
  readonly isOptional: boolean
  readonly schema: PlainSchema
}

/** Of a function; null where every value is left to the schema's own library. */
export interface PlainSchemas {
  readonly input: PlainSchema | null
  readonly output: PlainSchema | null
}

export function toPlainSchemas({
  input,
  output,
}: Readonly<Record<'input' | 'output', StandardSchemaV1 | null>>): PlainSchemas {
  return { input: toPlainSchema(input), output: toPlainSchema(output) }
}

/** Of one schema: what is larger is seldom plain, and would be long code. */
const maxNodes = 300

/**
 * What a schema of zod says in plain terms: which values it is sure to take **and hand on as they
 * are**. Null when it may do more (transform, refine, a format…), or is none of zod 4. Everything
 * not known here is such a case, so that a later zod costs speed and never a verdict.
 *
 * Reads `_zod.def`, which zod documents for libraries that build on it (zod.dev/library-authors). A
 * default, a catch or a coercion changes no value that already fits, and so is plain.
 *
 * May throw what getters of the schema throw.
 */
export function toPlainSchema(schema: StandardSchemaV1 | null): PlainSchema | null {
  if (schema === null || !isZod(schema)) return null
  let nodes = 0

  const read = (type: z.core.$ZodType): PlainSchema | null => {
    nodes += 1
    if (nodes > maxNodes) return null
    // Of a zod whose types may differ from those of ours: nothing in it is taken for granted.
    const def: Def = type._zod.def
    const checks = readChecks(def.checks)
    if (checks === null) return null
    const { bounds, isFree } = checks
    switch (def.type) {
      case 'any':
      case 'unknown':
        return isFree ? { kind: 'anything' } : null
      case 'boolean':
        return isFree ? { kind: 'boolean' } : null
      case 'null':
        return isFree ? { kind: 'literal', values: [null] } : null
      case 'string':
        return def.check === undefined && checks.of !== 'number' ? { kind: 'string', bounds } : null
      case 'number':
        return checks.of === 'length' ? null : readNumber(def, checks)
      case 'enum':
      case 'literal':
        return isFree ? readLiterals(type._zod.values) : null
      case 'array':
        return checks.of === 'number' ? null : readArray(def.element, bounds)
      case 'object':
        return isFree ? readObject(def) : null
      case 'nullable': {
        const inner = isFree ? readInner(def) : null
        return inner && { kind: 'nullable', of: inner }
      }
      default:
        return null
    }
  }

  const readInner = ({ innerType }: Def): PlainSchema | null =>
    isZod(innerType) ? read(innerType) : null

  const readArray = (element: unknown, bounds: readonly PlainBound[]): PlainSchema | null => {
    const items = isZod(element) ? read(element) : null
    return items && { kind: 'array', bounds, items }
  }

  const readObject = ({ shape, catchall }: Def): PlainSchema | null => {
    // Strict or not: a value with other keys is left to zod.
    if (catchall !== undefined && !(isZod(catchall) && catchall._zod.def.type === 'never'))
      return null
    if (typeof shape !== 'object' || shape === null) return null
    if (Object.getOwnPropertySymbols(shape).length > 0) return null
    const properties: PlainProperty[] = []
    for (const name of Object.keys(shape)) {
      const type: unknown = Reflect.get(shape, name)
      if (name === '__proto__' || !isZod(type)) return null
      const { type: kind, checks } = type._zod.def
      const isWrapped = propertyWrappers.has(kind)
      if (isWrapped && readChecks(checks)?.isFree !== true) return null
      const property = isWrapped ? readInner(type._zod.def) : read(type)
      if (property === null) return null
      properties.push({ name, isOptional: kind === 'optional', schema: property })
    }
    return { kind: 'object', properties }
  }

  return read(schema)
}

/** What says of a key how it may be absent, and takes a value that is there as the type within does. */
const propertyWrappers: ReadonlySet<string> = new Set(['optional', 'default', 'prefault', 'catch'])

/** Keys of `_zod.def` that are looked at, of whatever type. */
interface Def {
  readonly type: string
  readonly checks?: unknown
  readonly check?: unknown
  readonly format?: unknown
  readonly element?: unknown
  readonly shape?: unknown
  readonly catchall?: unknown
  readonly innerType?: unknown
}

interface PlainChecks {
  readonly isFree: boolean
  /** What is checked; null when nothing is. */
  readonly of: 'length' | 'number' | null
  readonly bounds: readonly PlainBound[]
  readonly isInteger: boolean
}

/**
 * Null when one of them is no plain bound. A check may have a condition of its own (`when`): without
 * it fewer values fit.
 */
function readChecks(checks: unknown = []): PlainChecks | null {
  if (!isList(checks)) return null
  const bounds: PlainBound[] = []
  let of: PlainChecks['of'] = null
  let isInteger = false
  for (const check of checks) {
    const read = isZod(check) ? readCheck({ ...check._zod.def }) : null
    if (read === null || (of !== null && read.of !== of)) return null
    of = read.of
    bounds.push(...read.bounds)
    isInteger ||= read.isInteger === true
  }
  return { isFree: of === null, of, bounds, isInteger }
}

function readCheck(
  def: Record<string, unknown>,
): { of: 'length' | 'number'; bounds: PlainBound[]; isInteger?: boolean } | null {
  const inclusive = def['inclusive'] === true ? '=' : ''
  switch (def['check']) {
    case 'min_length':
      return readBound('length', def['minimum'], '>=')
    case 'max_length':
      return readBound('length', def['maximum'], '<=')
    case 'greater_than':
      return readBound('number', def['value'], `>${inclusive}`)
    case 'less_than':
      return readBound('number', def['value'], `<${inclusive}`)
    case 'number_format':
      return def['format'] === 'safeint' ? { of: 'number', bounds: [], isInteger: true } : null
    default:
      return null
  }
}

function readBound(of: 'length' | 'number', value: unknown, than: PlainBound['than']) {
  return typeof value === 'number' && Number.isFinite(value)
    ? { of, bounds: [{ than, value }] }
    : null
}

function readNumber(
  { check, format }: Def,
  { bounds, isInteger }: PlainChecks,
): PlainSchema | null {
  if (check === undefined) return { kind: 'number', isInteger, bounds }
  const isSafe = check === 'number_format' && format === 'safeint'
  return isSafe ? { kind: 'number', isInteger: true, bounds } : null
}

/** More are found faster in a set, which zod has. */
const maxLiterals = 32

function readLiterals(values: unknown): PlainSchema | null {
  if (!isList(values)) return null
  const literals = [...values].filter((value) => isLiteral(value))
  const isWhole = literals.length === [...values].length && literals.length <= maxLiterals
  return isWhole ? { kind: 'literal', values: literals } : null
}

function isLiteral(value: unknown): value is PlainLiteral {
  if (value === null) return true
  return ['string', 'boolean'].includes(typeof value) || Number.isFinite(value)
}

/** Of any realm. */
function isList(value: unknown): value is Iterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.iterator in value
}

function isZod(value: unknown): value is z.core.$ZodType {
  return (
    (typeof value === 'object' || typeof value === 'function') &&
    value !== null &&
    '_zod' in value &&
    typeof value._zod === 'object' &&
    value._zod !== null &&
    'def' in value._zod
  )
}
