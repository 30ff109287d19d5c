import { randomUUID } from 'node:crypto'
import { type FileHandle, link, open, rename, unlink } from 'node:fs/promises'
import path from 'node:path'
import { digestOf } from '../manifest/digest.ts'
import type { ArtifactStore, PutResult } from './artifact-store.ts'
import { makeDurableFolder, syncFolder } from './durable-folder.ts'
import { fileError, hasErrno } from './file-error.ts'
import { withFileLock } from './file-lock.ts'
import { fileNameOf } from './file-name.ts'
import { type FoundFile, readFolder, statIfThere, walkFolder } from './file-walk.ts'
import { assertStoreKey } from './store-key.ts'
import { tooLarge } from './too-large.ts'

/** Temporary files of writers that died are removed after this long. */
const abandonedAfterMs = 60 * 60 * 1000

export interface FileStoreOptions {
  /**
   * Whether objects are replaced on condition of their version, which is all that needs a lock (it
   * takes a millisecond, a part of it on the event loop). Without, such a put is refused. Default true.
   */
  readonly conditionalReplace?: boolean
}

/**
 * A store in a directory of a local file system, shared by any number of processes. Keys are paths
 * below it; names starting with a dot are the store's own.
 *
 * Bytes are written to a temporary file, flushed, and only then get their name by link (create) or
 * rename (replace), so that a reader or a crash never meets half an object; what need not be
 * durable is not flushed and may be empty after a power cut. Whatever may replace or remove holds a
 * lock of the operating system meanwhile. What was deleted may be there again after a power cut. A
 * key cannot at once be an object and the folder of others. The directory appears with the first
 * write.
 */
export function createFileStore(
  directory: string,
  { conditionalReplace = true }: FileStoreOptions = {},
): ArtifactStore {
  const root = path.resolve(directory)
  const own = path.join(root, '.needle-store')
  const location = `file:${root}`
  let cleaned: Promise<void> | undefined

  const pathOf = (key: string): string => {
    assertStoreKey(key)
    return path.join(root, ...key.split('/').map(fileNameOf))
  }

  const takeTurns = <Result>(
    key: string,
    signal: AbortSignal | undefined,
    work: () => Promise<Result>,
  ): Promise<Result> =>
    conditionalReplace
      ? withFileLock({ folder: path.join(own, 'locks'), name: key, signal }, work)
      : work()

  async function writeTemporary(bytes: Uint8Array, durable: boolean): Promise<string> {
    const folder = path.join(own, 'writing')
    await (cleaned ??= removeAbandoned(folder))
    const file = path.join(folder, randomUUID())
    const handle = await inFolder(folder, () => open(file, 'wx'))
    try {
      await handle.writeFile(bytes)
      if (durable) await handle.sync()
    } finally {
      await handle.close()
    }
    return file
  }

  /** Gives the bytes their name through `place`; the temporary one is gone after it. */
  async function write(
    { target, bytes, durable }: { target: string; bytes: Uint8Array; durable: boolean },
    place: (temporary: Temporary) => Promise<PutResult>,
  ): Promise<PutResult> {
    const file = await writeTemporary(bytes, durable)
    const folder = path.dirname(target)
    let isMoved = false
    const move = async (): Promise<void> => {
      await rename(file, target)
      isMoved = true
    }
    try {
      const result = await inFolder(folder, () => place({ file, move }))
      if (durable) await syncFolder(folder)
      return result
    } finally {
      if (!isMoved) await removeIfThere(file)
    }
  }

  const walk = (prefix: string, signal: AbortSignal | undefined): AsyncGenerator<FoundFile> =>
    walkFolder({ root, folder: prefix.split('/').slice(0, -1), prefix, signal })

  return {
    location,

    async get(key, { maxBytes, ifNoneMatch, signal }) {
      signal?.throwIfAborted()
      const target = pathOf(key)
      try {
        const bytes = await readFile(target, maxBytes, key)
        signal?.throwIfAborted()
        if (bytes === null) return { status: 'missing' }
        const etag = digestOf(bytes)
        return etag === ifNoneMatch ? { status: 'notModified' } : { status: 'found', bytes, etag }
      } catch (error) {
        throw fileError(error, { location, key, write: false })
      }
    },

    async put(key, bytes, { condition, durable = true, signal } = {}) {
      signal?.throwIfAborted()
      if (typeof condition === 'object' && !conditionalReplace) {
        throw new TypeError(`${location} was opened without conditionalReplace`)
      }
      const target = pathOf(key)
      const etag = digestOf(bytes)
      try {
        if (condition === 'absent') {
          return await write({ target, bytes, durable }, async ({ file }) => {
            try {
              await link(file, target)
              return { status: 'written', etag }
            } catch (error) {
              if (!hasErrno(error, 'EEXIST')) throw error
              return outcomeOfLostRace(target, etag)
            }
          })
        }
        return await write({ target, bytes, durable }, ({ move }) =>
          takeTurns(key, signal, async () => {
            if (condition !== undefined) {
              const current = await readFile(target, Number.POSITIVE_INFINITY, key)
              const found = current === null ? null : digestOf(current)
              if (found === etag) return { status: 'written', etag }
              if (found !== condition.etag) return { status: 'conflict' }
            }
            await move()
            return { status: 'written', etag }
          }),
        )
      } catch (error) {
        throw fileError(error, { location, key, write: true })
      }
    },

    async *list(prefix, { signal } = {}) {
      try {
        for await (const { key, file } of walk(prefix, signal)) {
          const status = await statIfThere(file)
          if (status !== null) yield { key, sizeBytes: status.size, modifiedAt: status.mtimeMs }
        }
      } catch (error) {
        throw fileError(error, { location, key: prefix, write: false })
      }
    },

    async *keys(prefix, { signal } = {}) {
      try {
        for await (const { key } of walk(prefix, signal)) yield key
      } catch (error) {
        throw fileError(error, { location, key: prefix, write: false })
      }
    },

    async delete(key, { signal } = {}) {
      signal?.throwIfAborted()
      const target = pathOf(key)
      try {
        if (conditionalReplace && !(await exists(target))) return
        await takeTurns(key, signal, () => removeIfThere(target))
      } catch (error) {
        throw fileError(error, { location, key, write: true })
      }
    },

    async close() {
      await cleaned
    },
  }
}

/** A file that is written whole, and how it takes the place of the object. */
interface Temporary {
  readonly file: string
  readonly move: () => Promise<void>
}

/** A create that came second is written all the same if its own bytes are there: a retry that meets itself. */
async function outcomeOfLostRace(target: string, etag: string): Promise<PutResult> {
  const current = await readFile(target, Number.POSITIVE_INFINITY, target)
  return current !== null && digestOf(current) === etag
    ? { status: 'written', etag }
    : { status: 'conflict' }
}

/** Null when there is no such file. An open file keeps its bytes even if it is replaced meanwhile. */
async function readFile(file: string, maxBytes: number, key: string): Promise<Buffer | null> {
  let handle: FileHandle
  try {
    handle = await open(file, 'r')
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR')) return null
    throw error
  }
  try {
    const status = await handle.stat()
    if (status.isDirectory()) return null
    if (status.size > maxBytes) throw tooLarge(key, maxBytes)
    return await readWhole(handle, status.size)
  } finally {
    await handle.close()
  }
}

/** As `handle.readFile()`, which asks for the size again: each step is a trip to another thread. */
async function readWhole(handle: FileHandle, size: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafeSlow(size)
  let length = 0
  while (length < size) {
    const { bytesRead } = await handle.read(bytes, length, size - length)
    if (bytesRead === 0) break
    length += bytesRead
  }
  return bytes.subarray(0, length)
}

/** What is done in a folder, which is made only if it turns out to be missing: it hardly ever is. */
async function inFolder<Result>(folder: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work()
  } catch (error) {
    if (!hasErrno(error, 'ENOENT')) throw error
    await makeDurableFolder(folder)
    return work()
  }
}

async function removeIfThere(file: string): Promise<void> {
  try {
    await unlink(file)
  } catch (error) {
    if (!hasErrno(error, 'ENOENT')) throw error
  }
}

async function exists(file: string): Promise<boolean> {
  return (await statIfThere(file)) !== null
}

async function removeAbandoned(folder: string): Promise<void> {
  for (const { name } of await readFolder(folder)) {
    const file = path.join(folder, name)
    const status = await statIfThere(file)
    if (status !== null && Date.now() - status.mtimeMs > abandonedAfterMs) {
      await removeIfThere(file)
    }
  }
}
