import type { Logger } from '@needle-faas/runtime'

/** Keeps what goes wrong, on standard error, and drops the rest. */
export const silentLog: Logger = {
  debug: () => {},
  info: () => {},
  warn: (message, fields) => console.error(message, fields ?? ''),
  error: (message, fields) => console.error(message, fields ?? ''),
}
