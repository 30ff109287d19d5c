import { RuntimeError } from '../errors.ts'
import type { Suspect } from './crash-suspects.ts'
import type { FailedRelease } from './failure-memory.ts'

/** What a condemned release is refused with. */
export function toCrashFailure(
  { function: name, condemnation }: Suspect,
  crashFile: string | null,
): Pick<FailedRelease, 'function' | 'error' | 'retryAt'> {
  const retryAt = condemnation?.until ?? null
  const told =
    retryAt === null
      ? `It is not tried here again. Publish a fix; or, to try it once more, stop this instance, delete ${crashFile} and start it.`
      : `It had proven itself here, or was not alone, and may be innocent: it is tried again at ${new Date(retryAt).toISOString()}. Publish a fix if it is not; or, to try it at once, stop this instance, delete ${crashFile} and start it.`
  const error = new RuntimeError(
    'FUNCTION_CRASHED',
    `The process ended twice while this release of ${name} was at work: out of memory, or a native crash. ${told}`,
    { details: { function: name } },
  )
  return { function: name, error, retryAt }
}

/** @param watchedUntil Epoch milliseconds. */
export function uncleanEndMessage(watchedUntil: number): string {
  return `The process before this one was killed, crashed or ran out of memory. Until ${new Date(watchedUntil).toISOString()} it is recorded which functions are at work, to find out whether one of them ends it. Should the process be stopped on purpose, close the runtime before it exits.`
}
