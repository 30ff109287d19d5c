import type { Logger } from '@needle-faas/runtime/function'
import type { CommandIo } from '../commands/command.ts'

type Fields = Record<string, unknown>

/** What functions log, a line each for people; of the runtime itself only what is wrong. */
export function createDevLog(io: CommandIo): Logger {
  const write = (level: string, message: string, fields: Fields): void => {
    const { function: name, revision: _revision, requestId: _requestId, error, ...rest } = fields
    const subject = typeof name === 'string' ? `${name}: ` : ''
    const details = Object.keys(rest).length === 0 ? '' : ` ${JSON.stringify(rest)}`
    const cause = typeof error === 'string' ? `\n${error}` : ''
    io.stderr(`${level.padEnd(5)} ${subject}${message}${details}${cause}\n`)
  }
  const ofFunctions =
    (level: string) =>
    (message: string, fields: Fields = {}): void => {
      if ('function' in fields) write(level, message, fields)
    }
  const always =
    (level: string) =>
    (message: string, fields: Fields = {}): void =>
      write(level, message, fields)
  return {
    debug: ofFunctions('debug'),
    info: ofFunctions('info'),
    warn: always('warn'),
    error: always('error'),
  }
}
