import type { Clock } from '../clock.ts'
import type { Logger } from './authoring/function-context.ts'
import { cutLine } from './cut-line.ts'
import { createRateLimit } from './rate-limit.ts'

/** More than anyone reads. Beyond it the host would write a function's lines instead of answering. */
export const maxLinesPerSecond = 1000
export const maxCharactersPerSecond = 1_048_576

/**
 * A log that passes on the first lines of every second, the first mebi of their characters at most,
 * each no longer than `maxLineCharacters`, and then says how many lines it has dropped.
 */
export function limitLog(log: Logger, clock: Clock): Logger {
  const limit = createRateLimit({
    maxPerSecond: maxLinesPerSecond,
    maxWeightPerSecond: maxCharactersPerSecond,
    clock,
    onHeldBack: (dropped) =>
      log.warn('The function logs too much: lines were dropped', { dropped }),
  })
  const at =
    (level: keyof Logger): Logger['info'] =>
    (message, fields) => {
      const line = cutLine(message, fields)
      if (limit.admits(line.characters)) log[level](line.message, line.fields)
    }
  return Object.freeze({
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
  } satisfies Logger)
}
