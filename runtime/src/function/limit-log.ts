import type { Clock } from '../clock.ts'
import type { Logger } from './authoring/function-context.ts'
import { createRateLimit } from './rate-limit.ts'

/** More than anyone reads. Beyond it the host would write a function's lines instead of answering. */
export const maxLinesPerSecond = 1000

/** A log that passes on the first lines of every second, and then says how many it has dropped. */
export function limitLog(log: Logger, clock: Clock): Logger {
  const limit = createRateLimit({
    maxPerSecond: maxLinesPerSecond,
    clock,
    onHeldBack: (dropped) =>
      log.warn('The function logs too much: lines were dropped', { dropped }),
  })
  return Object.freeze({
    debug: (message, fields) => {
      if (limit.admits()) log.debug(message, fields)
    },
    info: (message, fields) => {
      if (limit.admits()) log.info(message, fields)
    },
    warn: (message, fields) => {
      if (limit.admits()) log.warn(message, fields)
    },
    error: (message, fields) => {
      if (limit.admits()) log.error(message, fields)
    },
  } satisfies Logger)
}
