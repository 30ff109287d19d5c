import { cp, mkdir } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { push } from './harness/event.ts'
import { git } from './harness/git.ts'
import { commit, createOrigin, type Change, type Origin } from './harness/origin.ts'

/** Where this project lies. */
export const project = join(import.meta.dirname, '..', '..', '..')

/** Programs for the machines of workflow tests; see there. */
export const commands = join(import.meta.dirname, 'commands')

/**
 * An origin whose main holds this project as it lies here, uncommitted work included and ignored
 * files left out, plus `change`.
 */
export async function createProjectOrigin(directory: string, change: Change): Promise<Origin> {
  const origin = await createOrigin(directory)
  const listed = await git(project, 'ls-files', '-z', '--cached', '--others', '--exclude-standard')
  for (const file of new Set(listed.split('\0'))) {
    if (file === '' || !existsSync(join(project, file))) continue
    const copy = join(origin.work, file)
    await mkdir(dirname(copy), { recursive: true })
    await cp(join(project, file), copy)
  }
  await commit(origin, 'Start', change)
  await push(origin)
  return origin
}
