import * as v8 from 'node:v8'
import { type Digest, digestHex, digestOf } from '../manifest/digest.ts'
import type { ArtifactStore } from '../store/artifact-store.ts'
import { listKeys } from '../store/list-keys.ts'

/**
 * Compiled code on disk, so that a restart and a function that comes back to memory compile nothing.
 * V8 does not compare it with the source (it took the code of another source of equal length), so it
 * lies under the digest of the artifact and the engine that made it, and behind a checksum. Whoever
 * can write to the directory could run code here: it must be the host's alone.
 */
export interface CodeCache {
  /** Null when there is none, or a damaged one. Never rejects. */
  read(artifact: Digest): Promise<Uint8Array | null>
  /** Best effort: never rejects. */
  write(artifact: Digest, code: Uint8Array): Promise<void>
  /** Deletes the code of all other artifacts, and what other engines left. Best effort. */
  keepOnly(artifacts: ReadonlySet<Digest>): Promise<void>
}

const folder = 'code/'
/** And the form in which the code lies there, of parts (`container/compiled-code.ts`). */
const engine = `${process.version}-${process.arch}-${v8.cachedDataVersionTag()}-parts`
const checksumBytes = 32
const maxBytes = 64 * 1024 * 1024

export function createCodeCache(disk: ArtifactStore | null): CodeCache {
  return {
    read: (artifact) =>
      bestEffort(async () => {
        const found = await disk?.get(keyOf(artifact), { maxBytes })
        return found?.status === 'found' ? open(found.bytes) : null
      }),
    write: async (artifact, code) => {
      await bestEffort(async () => disk?.put(keyOf(artifact), seal(code), { durable: false }))
    },
    keepOnly: async (artifacts) => {
      const keys = new Set([...artifacts].map(keyOf))
      await bestEffort(async () => {
        if (disk === null) return
        for await (const key of listKeys(disk, folder)) if (!keys.has(key)) await disk.delete(key)
      })
    },
  }
}

function keyOf(artifact: Digest): string {
  return `${folder}${engine}/${digestHex(artifact)}.bin`
}

async function bestEffort<Result>(work: () => Promise<Result>): Promise<Result | null> {
  try {
    return await work()
  } catch {
    // The sources are there: everything works without.
    return null
  }
}

function seal(code: Uint8Array): Uint8Array {
  return Buffer.concat([checksum(code), code])
}

function open(sealed: Uint8Array): Uint8Array | null {
  const code = sealed.subarray(checksumBytes)
  return checksum(code).equals(sealed.subarray(0, checksumBytes)) ? code : null
}

function checksum(code: Uint8Array): Buffer {
  return Buffer.from(digestHex(digestOf(code)), 'hex')
}
