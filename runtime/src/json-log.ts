import type { Logger } from './function/authoring/function-context.ts'

/** One JSON line per message on standard output; `debug` is dropped. */
export function createJsonLog(write: (line: string) => void = writeLine): Logger {
  const at =
    (level: string) =>
    (message: string, fields?: Record<string, unknown>): void =>
      write(JSON.stringify({ time: new Date().toISOString(), level, message, ...fields }))
  return { debug: () => {}, info: at('info'), warn: at('warn'), error: at('error') }
}

function writeLine(line: string): void {
  process.stdout.write(`${line}\n`)
}
