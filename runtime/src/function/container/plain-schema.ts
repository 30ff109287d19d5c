import type { StandardSchemaV1 } from '@standard-schema/spec'
import type * as z from 'zod/mini'
import { type PlainCheck, readCheck, readChecks } from './plain-checks.ts'
import { isList, isZod } from './zod-schema.ts'

/** A value that equals one of these. */
export type PlainLiteral = string | number | boolean | null

/** The part of a schema whose verdict can be had without its library: see `toPlainSchema`. */
export type PlainSchema =
  | { readonly kind: 'anything' }
  | { readonly kind: 'boolean' }
  | { readonly kind: 'string'; readonly checks: readonly PlainCheck[] }
  /** Finite. */
  | { readonly kind: 'number'; readonly checks: readonly PlainCheck[] }
  | { readonly kind: 'literal'; readonly values: readonly PlainLiteral[] }
  | { readonly kind: 'nullable'; readonly of: PlainSchema }
  | PlainArray
  | PlainObject

export interface PlainArray {
  readonly kind: 'array'
  readonly checks: readonly PlainCheck[]
  readonly items: PlainSchema
}

export interface PlainObject {
  readonly kind: 'object'
  readonly properties: readonly PlainProperty[]
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

/**
 * What a schema of zod says in plain terms: which values it is sure to take **and hand on as they
 * are**. Null when it may do more (transform, refine, look for one of several types…), or is none of
 * zod 4. Everything not known here is such a case, so that a later zod costs speed and never a verdict.
 *
 * Reads `_zod.def`, which zod documents for libraries that build on it (zod.dev/library-authors).
 * Coercion changes no value that fits, nor does the default of a key that is there.
 *
 * May throw what getters of the schema throw.
 */
export function toPlainSchema(schema: StandardSchemaV1 | null): PlainSchema | null {
  return schema !== null && isZod(schema) ? read(schema, { nodes: 0 }) : null
}

/** Of one schema: what is larger is seldom plain, and would be long code. */
const maxNodes = 300

/** Keys of `_zod.def` that are looked at: of a zod whose types may differ from those of ours. */
interface Def {
  readonly type: string
  readonly check?: unknown
  readonly checks?: unknown
  readonly element?: unknown
  readonly shape?: unknown
  readonly catchall?: unknown
  readonly innerType?: unknown
}

function read(type: z.core.$ZodType, seen: { nodes: number }): PlainSchema | null {
  seen.nodes += 1
  if (seen.nodes > maxNodes) return null
  const def: Def = type._zod.def
  const checks = readChecks(def.checks)
  if (checks === null) return null
  const areOnly = (...kinds: PlainCheck['kind'][]): boolean =>
    checks.every(({ kind }) => kinds.includes(kind))
  const within = (inner: unknown): PlainSchema | null => (isZod(inner) ? read(inner, seen) : null)
  switch (def.type) {
    case 'string': {
      const format = readFormat(def)
      return format && areOnly('length', 'pattern')
        ? { kind: 'string', checks: [...format, ...checks] }
        : null
    }
    case 'number': {
      const format = readFormat(def)
      return format && areOnly('value', 'integer')
        ? { kind: 'number', checks: [...format, ...checks] }
        : null
    }
    case 'array': {
      const items = areOnly('length') ? within(def.element) : null
      return items && { kind: 'array', checks, items }
    }
    default:
      // None of the others has a plain check.
      return checks.length === 0 ? readUnchecked(type, def, within) : null
  }
}

/** What the type itself checks. */
function readFormat(def: Def): readonly PlainCheck[] | null {
  if (def.check === undefined) return []
  const format = readCheck({ ...def })
  return format && [format]
}

type Within = (inner: unknown) => PlainSchema | null

function readUnchecked(type: z.core.$ZodType, def: Def, within: Within): PlainSchema | null {
  switch (def.type) {
    case 'any':
    case 'unknown':
      return { kind: 'anything' }
    case 'boolean':
      return { kind: 'boolean' }
    case 'null':
      return { kind: 'literal', values: [null] }
    case 'enum':
    case 'literal':
      return readLiterals(type._zod.values)
    case 'nullable': {
      const of = within(def.innerType)
      return of && { kind: 'nullable', of }
    }
    case 'object':
      return readObject(def, within)
    default:
      return null
  }
}

function readObject({ shape, catchall }: Def, within: Within): PlainSchema | null {
  // Strict or not: a value with other keys is left to zod.
  const isClosed = catchall === undefined || (isZod(catchall) && catchall._zod.def.type === 'never')
  if (!isClosed || typeof shape !== 'object' || shape === null) return null
  if (Object.getOwnPropertySymbols(shape).length > 0) return null
  const properties: PlainProperty[] = []
  for (const name of Object.keys(shape)) {
    const type: unknown = Reflect.get(shape, name)
    if (name === '__proto__' || !isZod(type)) return null
    const def: Def = type._zod.def
    const isWrapped = propertyWrappers.has(def.type)
    if (isWrapped && readChecks(def.checks)?.length !== 0) return null
    const property = within(isWrapped ? def.innerType : type)
    if (property === null) return null
    properties.push({ name, isOptional: def.type === 'optional', schema: property })
  }
  return { kind: 'object', properties }
}

/** What says of a key how it may be absent, and takes a value that is there as the type within does. */
const propertyWrappers: ReadonlySet<string> = new Set(['optional', 'default', 'prefault', 'catch'])

/** More are found faster in a set, which zod has. */
const maxLiterals = 32

function readLiterals(values: unknown): PlainSchema | null {
  if (!isList(values)) return null
  const all = [...values]
  const literals = all.filter((value) => isLiteral(value))
  const isPlain = literals.length === all.length && all.length <= maxLiterals
  return isPlain ? { kind: 'literal', values: literals } : null
}

function isLiteral(value: unknown): value is PlainLiteral {
  if (value === null) return true
  return ['string', 'boolean'].includes(typeof value) || Number.isFinite(value)
}
