import { PipelineError } from '../errors.ts'

/**
 * Milliseconds from the seconds a person typed for an option, as `--interval`.
 *
 * @throws PipelineError `USAGE_INVALID` when they are no number within the bounds, both included
 */
export function parseSeconds(
  option: string,
  typed: string,
  { from, to }: { readonly from: number; readonly to: number },
): number {
  const seconds = typed.trim() === '' ? Number.NaN : Number(typed)
  if (seconds >= from && seconds <= to) return seconds * 1000
  throw new PipelineError(
    'USAGE_INVALID',
    `${option} takes seconds from ${from} to ${to}, not "${typed}"`,
  )
}
