import { inspectFailure } from './inspect-failure.ts'
import type { SourcePositions } from './source-positions.ts'

/**
 * What renders what a function threw for the log: message, stack, causes, with positions in the
 * author's own files when there is a source map.
 */
export function createFailureDescriber(
  positions: SourcePositions,
): (thrown: unknown) => Promise<string> {
  return (thrown) => positions.rewrite(inspectFailure(thrown))
}
