import { isNativeError } from 'node:util/types'
import type { Clock } from './clock.ts'
import type { Attribution } from './function/attribution.ts'
import type { Logger } from './function/authoring/function-context.ts'
import { cutLine } from './function/cut-line.ts'
import { functionOf } from './function/revision.ts'
import { createRevisionLimits } from './function/revision-limits.ts'

/** Of a revision. */
const maxPerSecond = 100

/**
 * Logs what Node.js warns of while a function runs, which it would write to standard error: the first
 * of every second for each revision, and then how many more there were.
 */
export function createWarningReporter(options: {
  readonly clock: Clock
  readonly log: Logger
}): (charged: Attribution, warning: unknown) => void {
  const { clock, log } = options
  const limits = createRevisionLimits({
    maxPerSecond,
    clock,
    onHeldBack: (revision, dropped) =>
      log.warn(message, { dropped, function: functionOf(revision), revision }),
  })
  return ({ revision, requestId }, warning) => {
    if (!limits.admits(revision)) return
    // Its text may be the function's.
    const text = isNativeError(warning) ? warning.stack : warning
    const { fields } = cutLine(message, { warning: text })
    log.warn(message, { ...fields, requestId, function: functionOf(revision), revision })
  }
}

const message = 'Node.js warns of what a function does'
