import { Console } from 'node:console'
import { Writable } from 'node:stream'
import { format } from 'node:util'
import type { Logger } from '../authoring/function-context.ts'

/** A complete `console` whose lines go to the function's log, at the level of the method. */
export function createConsole(log: Logger): Console {
  const stdout = lines((line) => log.info(line))
  const stderr = lines((line) => log.error(line))
  const console = new Console({ stdout, stderr, colorMode: false })
  return Object.assign(console, {
    ...labelled(console, log),
    debug: (...values: unknown[]) => log.debug(format(...values)),
    log: (...values: unknown[]) => log.info(format(...values)),
    info: (...values: unknown[]) => log.info(format(...values)),
    warn: (...values: unknown[]) => log.warn(format(...values)),
    error: (...values: unknown[]) => log.error(format(...values)),
  })
}

type Labelled = 'time' | 'timeLog' | 'timeEnd' | 'count' | 'countReset'

/** The same, but for labels that are not there, or there already: Node.js warns the whole process of them. */
function labelled(console: Console, log: Logger): Pick<Console, Labelled> {
  const time = console.time.bind(console)
  const timeLog = console.timeLog.bind(console)
  const timeEnd = console.timeEnd.bind(console)
  const count = console.count.bind(console)
  const countReset = console.countReset.bind(console)
  const timers = new Set<string>()
  const counters = new Set<string>()
  const isKnown = (label: string, labels: ReadonlySet<string>, method: Labelled): boolean => {
    if (labels.has(label)) return true
    log.warn(`No such label '${label}' for console.${method}()`)
    return false
  }
  return {
    time: (given: unknown = 'default') => {
      const label = String(given)
      if (timers.has(label)) {
        return log.warn(`Label '${label}' already exists for console.time()`)
      }
      timers.add(label)
      return time(label)
    },
    timeLog: (given: unknown = 'default', ...values: unknown[]) => {
      const label = String(given)
      if (isKnown(label, timers, 'timeLog')) timeLog(label, ...values)
    },
    timeEnd: (given: unknown = 'default') => {
      const label = String(given)
      if (!isKnown(label, timers, 'timeEnd')) return
      timers.delete(label)
      timeEnd(label)
    },
    count: (given: unknown = 'default') => {
      const label = String(given)
      counters.add(label)
      count(label)
    },
    countReset: (given: unknown = 'default') => {
      const label = String(given)
      if (!isKnown(label, counters, 'countReset')) return
      counters.delete(label)
      countReset(label)
    },
  }
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
