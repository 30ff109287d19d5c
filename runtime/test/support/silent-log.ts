import type { Logger } from '../../src/function/authoring/function-context.ts'

export const silentLog: Logger = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
}
