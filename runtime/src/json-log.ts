import type { Logger } from './function/authoring/function-context.ts'
import { inspectFailure } from './function/inspect-failure.ts'

/** One JSON line per message on standard output; `debug` is dropped. Fields that have no JSON are written as text. */
export function createJsonLog(write: (line: string) => void = writeLine): Logger {
  const at =
    (level: string) =>
    (message: string, fields?: Record<string, unknown>): void => {
      const line = { time: new Date().toISOString(), level, message }
      write(toJson({ line, fields }))
    }
  return { debug: () => {}, info: at('info'), warn: at('warn'), error: at('error') }
}

/** What a function logs may hold cycles, big integers or a `toJSON` that throws. */
function toJson({ line, fields }: { line: object; fields: object | undefined }): string {
  try {
    return JSON.stringify({ ...line, ...fields, ...line })
  } catch {
    return JSON.stringify({ ...line, fields: inspectFailure(fields) })
  }
}

function writeLine(line: string): void {
  process.stdout.write(`${line}\n`)
}
