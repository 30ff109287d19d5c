import { PipelineError } from '../errors.ts'

/** @throws PipelineError `USAGE_INVALID` */
export function parsePort(given: string): number {
  const port = Number(given)
  if (/^\d+$/.test(given) && port > 0 && port < 65_536) return port
  throw new PipelineError(
    'USAGE_INVALID',
    `--port "${given}" is no port. Use a number from 1 to 65535.`,
  )
}
