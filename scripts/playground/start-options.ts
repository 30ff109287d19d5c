export interface StartOptions {
  /** From `PORT`; default 3000. */
  readonly port: number
  /** From `CANARY`; undefined when changes go to everybody at once. */
  readonly canaryPercent: number | undefined
}

/** Reads `PORT` and `CANARY`. A string says what is wrong with them. */
export function readStartOptions(
  env: Readonly<Record<string, string | undefined>>,
): StartOptions | string {
  const port = wholeNumber(env['PORT'] ?? '3000', 65_535)
  if (port === null) return `PORT=${env['PORT']} is no port. Use a number from 1 to 65535.`
  const { CANARY: canary } = env
  if (canary === undefined || canary === '') return { port, canaryPercent: undefined }
  const canaryPercent = wholeNumber(canary, 99)
  if (canaryPercent === null) return `CANARY=${canary} is no share. Use whole percents, 1 to 99.`
  return { port, canaryPercent }
}

/** From 1 to `max`, else null. */
function wholeNumber(text: string, max: number): number | null {
  const value = Number(text)
  return Number.isInteger(value) && value >= 1 && value <= max ? value : null
}
