import { currentCall } from './attribution.ts'
import type { Logger } from './authoring/function-context.ts'
import { currentTraceId } from './call-span.ts'
import { inspectFailure } from './inspect-failure.ts'
import { limitLog, type LogLimits } from './limit-log.ts'
import type { SourcePositions } from './source-positions.ts'

/** What the runtime says: every line tells the function and revision, and the request and trace unless it names another. */
export function createRevisionLog(log: Logger, functionName: string, revision: string): Logger {
  return withFields(log, (fields) => ({
    ...originOfCall(),
    ...fields,
    function: functionName,
    revision,
  }))
}

/** What the function says: it may not take a line for that of another request. */
export function createAuthorLog(
  log: Logger,
  {
    positions,
    ...limits
  }: Omit<LogLimits, 'rewrite'> & {
    readonly positions: SourcePositions
  },
): Logger {
  return limitLog(
    withFields(unfailing(log), (fields) => ({ ...fields, ...originOfCall() })),
    { ...limits, rewrite: (text) => positions.rewriteNow(text) },
  )
}

/** A host's log may take fields apart, and fail at what a function calls by the same name. */
function unfailing(log: Logger): Logger {
  const at =
    (level: keyof Logger): Logger[keyof Logger] =>
    (message, fields) => {
      try {
        log[level](message, fields)
      } catch (error) {
        log[level](message, { unwritable: inspectFailure(error) })
      }
    }
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}

function originOfCall(): Record<string, string> {
  const requestId = currentCall()?.requestId ?? null
  const traceId = currentTraceId()
  return {
    ...(requestId !== null && { requestId }),
    ...(traceId !== undefined && { traceId }),
  }
}

type Fields = Record<string, unknown>

function withFields(log: Logger, complete: (fields: Fields | undefined) => Fields): Logger {
  return Object.freeze({
    debug: (message, fields) => log.debug(message, complete(fields)),
    info: (message, fields) => log.info(message, complete(fields)),
    warn: (message, fields) => log.warn(message, complete(fields)),
    error: (message, fields) => log.error(message, complete(fields)),
  } satisfies Logger)
}
