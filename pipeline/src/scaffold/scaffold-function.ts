import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { functionNameSchema, type HttpMethod, httpMethods } from '@needle-faas/runtime/manifest'
import { PipelineError } from '../errors.ts'
import { suggestName } from '../functions/suggest-name.ts'
import { functionTemplate } from './function-template.ts'

export interface ScaffoldOptions {
  /** Directory that holds `functions/`. */
  readonly repository: string
  /** `<group>/<name>`, not yet checked. */
  readonly function: string
  /** Default: POST, or GET when the path has parameters. */
  readonly method?: string | undefined
  /** Default: `/<group>/<name>`. */
  readonly path?: string | undefined
}

export interface Scaffold {
  readonly function: string
  readonly method: HttpMethod
  readonly path: string
  /** Relative to the repository. */
  readonly files: readonly string[]
}

/**
 * Writes a new function, its test and its page.
 *
 * @throws PipelineError `FUNCTION_NAME_INVALID`, `USAGE_INVALID` for a bad method or path, or
 * `FUNCTION_EXISTS`; nothing is written then
 */
export async function scaffoldFunction(options: ScaffoldOptions): Promise<Scaffold> {
  const { repository } = options
  if (!functionNameSchema.safeParse(options.function).success) {
    throw new PipelineError(
      'FUNCTION_NAME_INVALID',
      `"${options.function}" is no function name. Use <group>/<name> of lower-case letters, digits and single hyphens: ${suggestName(options.function)}`,
    )
  }
  const [group = '', name = ''] = options.function.split('/')
  const path = readPath(options.path ?? `/${options.function}`)
  const method = readMethod(options.method ?? (path.includes(':') ? 'GET' : 'POST'))
  const directory = join('functions', group, name)
  if (existsSync(join(repository, directory))) {
    throw new PipelineError(
      'FUNCTION_EXISTS',
      `${directory} is there already. Choose another name, or edit that one.`,
    )
  }
  const template = functionTemplate({ group, name, method, path })
  await mkdir(join(repository, directory), { recursive: true })
  const files = Object.entries(template).map(
    ([file, text]) => [join(directory, file), text] as const,
  )
  await Promise.all(files.map(([file, text]) => writeFile(join(repository, file), text)))
  return { function: options.function, method, path, files: files.map(([file]) => file) }
}

function readMethod(given: string): HttpMethod {
  const method = httpMethods.find((known) => known === given.toUpperCase())
  if (method !== undefined) return method
  throw new PipelineError(
    'USAGE_INVALID',
    `--method "${given}" is none of ${httpMethods.join(', ')}.`,
  )
}

function readPath(given: string): string {
  if (/^\/[\w\-./:]*$/.test(given)) return given
  throw new PipelineError(
    'USAGE_INVALID',
    `--path "${given}" is no route. Begin with a slash and name parameters with a colon: /shop/card/:productId`,
  )
}
