import type { StandardSchemaV1 } from '@standard-schema/spec'

interface IssueDetail {
  readonly path: string
  readonly message: string
}

/** A list of a million items may have as many issues: nobody reads them, and each takes its time. */
const maxIssues = 100

/**
 * Issues of a Standard Schema as callers get them: `[{ path: 'items.0.sku', message }]`. Past the
 * first 100 a last one says how many more there are.
 */
export function toIssueDetails(issues: readonly StandardSchemaV1.Issue[]): IssueDetail[] {
  const all = Array.from(issues)
  const details = all.slice(0, maxIssues).map(({ path = [], message }) => ({
    path: Array.from(path, (part) => String(typeof part === 'object' ? part.key : part)).join('.'),
    message,
  }))
  const more = all.length - details.length
  return more === 0 ? details : [...details, { path: '', message: `and ${more} more issues` }]
}
