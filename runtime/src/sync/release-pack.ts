import { RuntimeError } from '../errors.ts'
import { digestOf } from '../manifest/digest.ts'
import { objectKey } from '../manifest/object-key.ts'
import { sizeLimit } from '../manifest/size-limit.ts'
import { pause } from '../pause.ts'
import type { ArtifactStore } from '../store/artifact-store.ts'
import { readIntact } from './intact-object.ts'
import type { ConcurrencyLimit } from './limit-concurrency.ts'

/**
 * The releases a start reads, once more in one file: of a thousand files each costs four steps on other
 * threads, which was a third of a start. A line each, known by its digest like a file of its own; one
 * that is damaged here, or not here yet, is in its file still.
 */
export interface ReleasePack {
  /** All lines, by key in the store; none when there is no such file, or it cannot be read. */
  read(): Promise<ReadonlyMap<string, Uint8Array>>
  /** Writes the releases with these keys to it, if a start would miss many of them, or read many in vain. Best effort. */
  keep(keys: readonly string[]): Promise<void>
}

const packKey = 'releases.ndjson'
const maxPackBytes = 256 * 1024 * 1024
const lineFeed = 0x0a

/** Writing a thousand lines for every change would cost more than a few files at a start. */
const toleratedDifferences = { atLeast: 16, share: 0.1 }

export function createReleasePack(
  disk: ArtifactStore,
  { takeTurns }: { readonly takeTurns: ConcurrencyLimit },
): ReleasePack {
  let packed: ReadonlySet<string> = new Set()

  /** Null for what cannot be a line, too: whatever it is, no signature would hold for it. */
  const readLine = async (key: string): Promise<readonly [string, Uint8Array] | null> => {
    await pause()
    const found = await readIntact(disk, key, { maxBytes: sizeLimit.releaseBytes })
    return found === null || found.bytes.includes(lineFeed) ? null : [key, found.bytes]
  }

  return {
    read: async () => {
      const found = await bestEffort(() => disk.get(packKey, { maxBytes: maxPackBytes }))
      const lines = new Map<string, Uint8Array>()
      if (found?.status !== 'found') return lines
      for (const line of linesOf(found.bytes)) {
        lines.set(objectKey.release(digestOf(line)), line)
        await pause()
      }
      packed = new Set(lines.keys())
      return lines
    },
    keep: async (keys) => {
      if (differences(packed, keys) <= tolerated(keys.length)) return
      const read = await Promise.all(keys.map((key) => takeTurns(() => readLine(key))))
      const lines = new Map(read.filter((line) => line !== null))
      const bytes = toPack([...lines.values()])
      const written = await bestEffort(() => disk.put(packKey, bytes, { durable: false }))
      if (written !== null) packed = new Set(lines.keys())
    },
  }
}

/** Null where the disk fails: each release has its own file. */
async function bestEffort<Result>(work: () => Promise<Result>): Promise<Result | null> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof RuntimeError) return null
    throw error
  }
}

function tolerated(wanted: number): number {
  return Math.max(toleratedDifferences.atLeast, wanted * toleratedDifferences.share)
}

/** How many of these are not packed, and how many are that are not of these. */
function differences(packed: ReadonlySet<string>, keys: readonly string[]): number {
  const wanted = new Set(keys)
  const missing = keys.filter((key) => !packed.has(key))
  const inVain = [...packed].filter((key) => !wanted.has(key))
  return missing.length + inVain.length
}

function toPack(lines: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(lines.flatMap((line) => [line, Uint8Array.of(lineFeed)]))
}

function* linesOf(pack: Uint8Array): Generator<Uint8Array> {
  for (let from = 0; from < pack.length;) {
    const to = pack.indexOf(lineFeed, from)
    // The last one, cut short.
    if (to === -1) return
    yield pack.subarray(from, to)
    from = to + 1
  }
}
