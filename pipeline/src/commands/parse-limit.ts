import { PipelineError } from '../errors.ts'

/** A number of manifests from what a person typed. @throws PipelineError `USAGE_INVALID` */
export function parseLimit(typed: string): number {
  const limit = Number(typed)
  if (Number.isInteger(limit) && limit >= 1) return limit
  throw new PipelineError('USAGE_INVALID', `--limit takes a whole number from 1, not "${typed}"`)
}
