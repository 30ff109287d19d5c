import type { Clock } from '../clock.ts'
import type { Logger } from './authoring/function-context.ts'
import { cutLine, type Fields } from './cut-line.ts'
import { createRateLimit } from './rate-limit.ts'

/** More than anyone reads. Beyond it the host would write a function's lines instead of answering. */
export const maxLinesPerSecond = 1000
export const maxCharactersPerSecond = 1_048_576

export interface LogLimits {
  readonly clock: Clock
  /** Makes what passes readable: the message, and fields that are text. */
  readonly rewrite: (text: string) => string
  /** How many lines more, once a second. */
  readonly onDropped: (lines: number) => void
}

/**
 * A log that passes on the first lines of every second, the first mebi of their characters at most,
 * each no longer than `maxLineCharacters`, and then says how many lines it has dropped.
 */
export function limitLog(log: Logger, { clock, rewrite, onDropped }: LogLimits): Logger {
  const limit = createRateLimit({
    maxPerSecond: maxLinesPerSecond,
    maxWeightPerSecond: maxCharactersPerSecond,
    clock,
    onHeldBack: (dropped) => {
      onDropped(dropped)
      log.warn('The function logs too much: lines were dropped', { dropped })
    },
  })
  const at =
    (level: keyof Logger): Logger['info'] =>
    (message, fields) => {
      const line = cutLine(message, fields)
      if (!limit.admits(line.characters)) return
      log[level](rewrite(line.message), rewriteFields(line.fields, rewrite))
    }
  return Object.freeze({
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
  } satisfies Logger)
}

function rewriteFields(
  fields: Fields | undefined,
  rewrite: (text: string) => string,
): Fields | undefined {
  if (fields === undefined) return undefined
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      name,
      typeof value === 'string' ? rewrite(value) : value,
    ]),
  )
}
