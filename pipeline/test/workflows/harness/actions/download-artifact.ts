import { cp } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { PlayedAction } from './played-action.ts'

/** actions/download-artifact for one artifact of the same run, into `path` or the workspace. */
export const downloadArtifact: PlayedAction = {
  inputs: ['name', 'path'],
  async run(inputs, machine) {
    const name = inputs['name']
    if (name === undefined) throw new Error('only downloading by name is played here')
    const source = join(machine.artifacts, name)
    if (!existsSync(source)) throw new Error(`Artifact '${name}' not found`)
    const target = resolve(machine.workspace, inputs['path'] ?? '.')
    await cp(source, target, { recursive: true })
    return { 'download-path': target }
  },
}
