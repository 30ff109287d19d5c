import { existsSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { PipelineError } from '../errors.ts'

/**
 * The directory that holds `functions/`: the given one, or the nearest at or above `cwd`.
 *
 * @throws PipelineError `REPOSITORY_MISSING`
 */
export function findRepository(cwd: string, given?: string): string {
  if (given !== undefined) {
    const directory = resolve(cwd, given)
    if (existsSync(join(directory, 'functions'))) return directory
    throw missing(`There is no folder "functions" in ${directory}.`)
  }
  for (let directory = resolve(cwd); ; directory = dirname(directory)) {
    if (existsSync(join(directory, 'functions'))) return directory
    if (dirname(directory) === directory) break
  }
  throw missing(`There is no folder "functions" in ${cwd} or above.`)
}

function missing(what: string): PipelineError {
  return new PipelineError(
    'REPOSITORY_MISSING',
    `${what} Run needle inside a repository of functions, or name one with --repository.`,
  )
}
