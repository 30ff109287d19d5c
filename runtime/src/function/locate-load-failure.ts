import type { Clock } from '../clock.ts'
import { isRuntimeError, RuntimeError } from '../errors.ts'
import { attributionOfLoad, runAttributed } from './attribution.ts'
import { inspectFailure } from './inspect-failure.ts'
import { ownTurn } from './quiet-turn.ts'
import { createSourcePositions, type SourceMapLoader } from './source-positions.ts'

/** Long enough for a map from the store. Calls may wait for the function, only to be refused. */
const maxWaitMs = 1000

/**
 * The error a revision did not load with, and where in its source it threw, by the source map or else
 * in the artifact. The same error when that cannot be told within two seconds. Never rejects.
 */
export async function locateLoadFailure(
  failure: unknown,
  options: {
    readonly revision: string
    readonly sourceMap: SourceMapLoader
    readonly clock: Clock
  },
): Promise<unknown> {
  if (!isRuntimeError(failure, 'FUNCTION_THROWS_AT_LOAD')) return failure
  const { revision, sourceMap, clock } = options
  const { code, message, cause, details } = failure
  const late = new AbortController()
  const atMost = (waitMs: number): Promise<null> =>
    clock.sleep(waitMs, late.signal).then(() => null)
  const positions = createSourcePositions(revision, () =>
    Promise.race([sourceMap(), atMost(maxWaitMs)]),
  )

  const locate = async (): Promise<string | null> => {
    // A getter of what it threw may be ended by the watchdog, and this promise with it.
    await ownTurn()
    const attribution = attributionOfLoad(revision)
    return positions.first(runAttributed(attribution, () => inspectFailure(cause)))
  }

  const position = await Promise.race([locate(), atMost(2 * maxWaitMs)])
  late.abort()
  if (position === null) return failure
  return new RuntimeError(code, `${message} (${position})`, { cause, details })
}
