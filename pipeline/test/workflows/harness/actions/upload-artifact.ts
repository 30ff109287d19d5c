import { copyFile, lstat, mkdir, readdir } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { basename, dirname, join, relative, resolve } from 'node:path'
import type { PlayedAction } from './played-action.ts'

/**
 * actions/upload-artifact for one file or one directory: files keep their paths below it, empty
 * directories and permissions are lost, names that begin with a dot stay behind unless
 * `include-hidden-files`, an artifact is never overwritten, and nothing to upload is only an error
 * when `if-no-files-found` says so.
 */
export const uploadArtifact: PlayedAction = {
  inputs: ['name', 'path', 'if-no-files-found', 'include-hidden-files', 'retention-days'],
  async run(inputs, machine) {
    const path = inputs['path'] ?? ''
    if (path === '' || /[*?[\]!\n]/.test(path)) {
      throw new Error(`path "${path}": only one file or directory is played here`)
    }
    const source = resolve(machine.workspace, path)
    const hidden = inputs['include-hidden-files'] === 'true'
    const files = await filesBelow(source, hidden)
    if (files.length === 0) {
      const complaint = `No files were found with the provided path: ${path}`
      if (inputs['if-no-files-found'] === 'error') throw new Error(complaint)
      return {}
    }
    const target = join(machine.artifacts, inputs['name'] ?? 'artifact')
    if (existsSync(target)) throw new Error('an artifact with this name already exists')
    const root = files.length === 1 && files[0] === source ? dirname(source) : source
    for (const file of files) {
      const copy = join(target, relative(root, file))
      await mkdir(dirname(copy), { recursive: true })
      await copyFile(file, copy)
    }
    return {}
  },
}

async function filesBelow(path: string, hidden: boolean): Promise<string[]> {
  if (!existsSync(path) || (!hidden && basename(path).startsWith('.'))) return []
  if (!(await lstat(path)).isDirectory()) return [path]
  const below = (await readdir(path)).map((name) => filesBelow(join(path, name), hidden))
  return (await Promise.all(below)).flat()
}
