import { Console } from 'node:console'
import { Writable } from 'node:stream'
import { format } from 'node:util'
import type { Logger } from '../authoring/function-context.ts'

/** A complete `console` whose lines go to the function's log, at the level of the method. */
export function createConsole(log: Logger): Console {
  const stdout = lines((line) => log.info(line))
  const stderr = lines((line) => log.error(line))
  return Object.assign(new Console({ stdout, stderr, colorMode: false }), {
    debug: (...values: unknown[]) => log.debug(format(...values)),
    log: (...values: unknown[]) => log.info(format(...values)),
    info: (...values: unknown[]) => log.info(format(...values)),
    warn: (...values: unknown[]) => log.warn(format(...values)),
    error: (...values: unknown[]) => log.error(format(...values)),
  })
}

function lines(write: (line: string) => void): Writable {
  return new Writable({
    decodeStrings: false,
    write: (chunk: unknown, _encoding, done) => {
      write(String(chunk).trimEnd())
      done()
    },
  })
}
