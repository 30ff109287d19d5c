import type { Dirent } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import path from 'node:path'
import { hasErrno } from './file-error.ts'
import { fileNameOf, keyOfFileName } from './file-name.ts'

/** An object, and the file it lies in. */
export interface FoundFile {
  readonly key: string
  readonly file: string
}

/** Every object below `folder` whose key starts with `prefix`. */
export async function* walkFolder(search: {
  readonly root: string
  readonly folder: readonly string[]
  readonly prefix: string
  readonly signal: AbortSignal | undefined
}): AsyncGenerator<FoundFile> {
  const { root, folder, prefix, signal } = search
  const directory = path.join(root, ...folder.map(fileNameOf))
  for (const entry of await readFolder(directory)) {
    signal?.throwIfAborted()
    const name = keyOfFileName(entry.name)
    if (name === null) continue
    const segments = [...folder, name]
    const key = segments.join('/')
    if (entry.isDirectory()) {
      const inside = `${key}/`
      if (inside.startsWith(prefix) || prefix.startsWith(inside)) {
        yield* walkFolder({ ...search, folder: segments })
      }
    } else if (entry.isFile() && key.startsWith(prefix)) {
      yield { key, file: path.join(directory, entry.name) }
    }
  }
}

/** Its entries; none when it is not there. */
export async function readFolder(directory: string): Promise<Dirent[]> {
  try {
    return await readdir(directory, { withFileTypes: true })
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR')) return []
    throw error
  }
}

/** Null when the file is gone. */
export async function statIfThere(file: string): Promise<{ size: number; mtimeMs: number } | null> {
  try {
    return await stat(file)
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR')) return null
    throw error
  }
}
