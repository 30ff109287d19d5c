import { isRegExp } from 'node:util/types'
import { isList, isZod } from './zod-schema.ts'

/** What a value of the right type must also meet. */
export type PlainCheck =
  /** Of a text or a list; of a text whether it is counted in code points or in UTF-16 units. */
  | { readonly kind: 'length'; readonly than: '>=' | '<='; readonly value: number }
  | { readonly kind: 'value'; readonly than: '>' | '>=' | '<' | '<='; readonly value: number }
  /** A safe one. */
  | { readonly kind: 'integer' }
  | { readonly kind: 'pattern'; readonly source: string; readonly flags: string }

/**
 * The checks of a schema of zod; null when one of them is not plain. A check may have a condition of
 * its own (`when`): without it fewer values fit.
 */
export function readChecks(checks: unknown = []): readonly PlainCheck[] | null {
  if (!isList(checks)) return null
  const plain: PlainCheck[] = []
  for (const check of checks) {
    const read = isZod(check) ? readCheck({ ...check._zod.def }) : null
    if (read === null) return null
    plain.push(read)
  }
  return plain
}

/** One check by its definition, which may also be that of a type, as of `z.int()` or `z.email()`. */
export function readCheck(def: Readonly<Record<string, unknown>>): PlainCheck | null {
  const isInclusive = def['inclusive'] === true
  switch (def['check']) {
    case 'min_length':
      return readBound('length', '>=', def['minimum'])
    case 'max_length':
      return readBound('length', '<=', def['maximum'])
    case 'greater_than':
      return readBound('value', isInclusive ? '>=' : '>', def['value'])
    case 'less_than':
      return readBound('value', isInclusive ? '<=' : '<', def['value'])
    case 'number_format':
      return def['format'] === 'safeint' ? { kind: 'integer' } : null
    case 'string_format':
      return patterns.has(def['format']) ? readPattern(def['pattern']) : null
    default:
      return null
  }
}

/** Formats that are a pattern and nothing else; others, such as `url` and `ipv6`, compute. */
const patterns: ReadonlySet<unknown> = new Set(
  'regex email uuid guid nanoid cuid cuid2 ulid xid ksuid datetime date time duration e164'.split(
    ' ',
  ),
)

function readPattern(pattern: unknown): PlainCheck | null {
  if (!isRegExp(pattern)) return null
  const { source, flags } = pattern
  // Those remember where they were.
  return /[gy]/.test(flags) ? null : { kind: 'pattern', source, flags }
}

function readBound<Kind extends 'length' | 'value', Than>(
  kind: Kind,
  than: Than,
  value: unknown,
): { kind: Kind; than: Than; value: number } | null {
  return typeof value === 'number' && Number.isFinite(value) ? { kind, than, value } : null
}
