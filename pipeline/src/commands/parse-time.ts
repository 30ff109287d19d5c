import { PipelineError } from '../errors.ts'

/** ISO 8601 in UTC from what a person typed. @throws PipelineError `USAGE_INVALID` */
export function parseTime(option: string, typed: string): string {
  const time = /^\d{4}-\d\d-\d\d/.test(typed) ? Date.parse(typed) : Number.NaN
  if (Number.isNaN(time)) {
    throw new PipelineError(
      'USAGE_INVALID',
      `${option} ${typed} is no time. Write it as 2026-12-01 or 2026-12-01T09:00:00Z`,
    )
  }
  return new Date(time).toISOString()
}
