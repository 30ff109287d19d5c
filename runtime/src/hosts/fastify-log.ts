import type { FastifyBaseLogger } from 'fastify'
import type { Logger } from '../function/authoring/function-context.ts'

/**
 * What pino writes into every line by itself, and what Fastify's serializers take apart. Pino writes a
 * field of that name as well, and readers take the last: a function could so give its line another
 * level or time.
 */
const reserved = ['level', 'time', 'pid', 'hostname', 'msg', 'reqId', 'req', 'res', 'err']

/** The host's pino. Fields of reserved names are written below `fields`. */
export function toLogger(log: FastifyBaseLogger): Logger {
  return {
    debug: (message, fields) => log.debug(toFields(fields), message),
    info: (message, fields) => log.info(toFields(fields), message),
    warn: (message, fields) => log.warn(toFields(fields), message),
    error: (message, fields) => log.error(toFields(fields), message),
  }
}

function toFields(fields: Record<string, unknown> = {}): Record<string, unknown> {
  if (!reserved.some((name) => Object.hasOwn(fields, name))) return fields
  const entries = Object.entries(fields)
  // One that is called so itself moves along.
  const isReserved = ([name]: [string, unknown]): boolean =>
    name === 'fields' || reserved.includes(name)
  return {
    ...Object.fromEntries(entries.filter((entry) => !isReserved(entry))),
    fields: Object.fromEntries(entries.filter(isReserved)),
  }
}
