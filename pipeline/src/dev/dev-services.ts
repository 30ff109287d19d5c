import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Services } from '@needle-faas/runtime/function'
import { PipelineError } from '../errors.ts'

/** Relative to the repository root. Its default export gives the services by name. */
export const devServicesFile = 'functions/dev-services.ts'

/**
 * The services functions meet under `needle dev`; none when there is no file for them.
 *
 * @throws PipelineError `CONFIG_INVALID` when the file cannot be loaded or exports no object
 */
export async function loadDevServices(directory: string): Promise<Partial<Services>> {
  const path = join(directory, devServicesFile)
  const found = await stat(path).catch(() => null)
  if (found === null) return noServices
  try {
    const module: { default?: unknown } = await import(
      `${pathToFileURL(path).href}?${found.mtimeMs}`
    )
    if (typeof module.default === 'object' && module.default !== null) return module.default
  } catch (cause) {
    throw new PipelineError(
      'CONFIG_INVALID',
      `${devServicesFile} cannot be loaded: ${cause instanceof Error ? cause.message : String(cause)}`,
      { cause },
    )
  }
  throw new PipelineError(
    'CONFIG_INVALID',
    `${devServicesFile} has no default export. Export an object of services by name: export default { price: … } satisfies Services`,
  )
}

const noServices: Partial<Services> = Object.freeze({})
