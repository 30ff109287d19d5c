import type { StandardSchemaV1 } from '@standard-schema/spec'

/** Issues of a Standard Schema as callers get them: `[{ path: 'items.0.sku', message }]`. */
export function toIssueDetails(
  issues: readonly StandardSchemaV1.Issue[],
): { path: string; message: string }[] {
  return Array.from(issues, ({ path = [], message }) => ({
    path: Array.from(path, (part) => String(typeof part === 'object' ? part.key : part)).join('.'),
    message,
  }))
}
