import type * as z from 'zod/mini'

/** Whether it is a schema, or a check, of zod 4, of whichever realm and copy. */
export function isZod(value: unknown): value is z.core.$ZodType {
  return (
    (typeof value === 'object' || typeof value === 'function') &&
    value !== null &&
    '_zod' in value &&
    typeof value._zod === 'object' &&
    value._zod !== null &&
    'def' in value._zod
  )
}

/** An array or a set, of whichever realm. */
export function isList(value: unknown): value is Iterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.iterator in value
}
