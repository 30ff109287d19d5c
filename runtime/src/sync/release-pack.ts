import { RuntimeError } from '../errors.ts'
import { digestOf } from '../manifest/digest.ts'
import { objectKey } from '../manifest/object-key.ts'
import { sizeLimit } from '../manifest/size-limit.ts'
import { pause } from '../pause.ts'
import type { ArtifactStore } from '../store/artifact-store.ts'
import { readIntact } from './intact-object.ts'

/**
 * The releases a start reads, once more in one file: of a thousand files each costs four steps on other
 * threads, which was a third of a start. A line each, known by its digest like a file of its own; one
 * that is damaged here, or not here yet, is in its file still.
 */
export interface ReleasePack {
  /** All lines, by key in the store; none when there is no such file, or it cannot be read. */
  read(): Promise<ReadonlyMap<string, Uint8Array>>
  /** Writes the releases with these keys to it, if a start would miss many of them, or read many in vain. Best effort. */
  keep(keys: readonly string[], signal: AbortSignal): Promise<void>
}

const packKey = 'releases.ndjson'
const maxPackBytes = 256 * 1024 * 1024
const lineFeed = 0x0a

/** So many are as fast by themselves: for as many or fewer there is no such file. */
export const fewReleases = 16
/** Writing a thousand lines for every change would cost more than a few files at a start. */
const toleratedShare = 0.1

export function createReleasePack(disk: ArtifactStore): ReleasePack {
  let packed: ReadonlySet<string> = new Set()

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
    keep: async (keys, signal) => {
      if ((await differences(packed, keys)) <= tolerated(keys.length)) return
      const read = new Set<string>()
      const lines: Uint8Array[] = []
      for (const key of keys) {
        await pause()
        if (signal.aborted) return
        const found = await readIntact(disk, key, { maxBytes: sizeLimit.releaseBytes })
        // With a line feed in it, no signature would hold for it, whatever it is.
        if (found === null || found.bytes.includes(lineFeed)) continue
        read.add(key)
        lines.push(found.bytes)
      }
      const pack = await toPack(lines)
      const written = await bestEffort(() => disk.put(packKey, pack, { durable: false }))
      if (written !== null) packed = read
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
  return Math.max(fewReleases, wanted * toleratedShare)
}

/** How many of these are not packed, and how many are that are not of these. */
async function differences(packed: ReadonlySet<string>, keys: readonly string[]): Promise<number> {
  const inVain = new Set(packed)
  let missing = 0
  for (const key of keys) {
    if (!inVain.delete(key)) missing += 1
    await pause()
  }
  return missing + inVain.size
}

/** Lets others have their turn in between: a thousand lines take 12 ms. */
async function toPack(lines: readonly Uint8Array[]): Promise<Uint8Array> {
  const pack = Buffer.allocUnsafeSlow(lines.reduce((size, line) => size + line.length + 1, 0))
  let end = 0
  for (const line of lines) {
    await pause()
    pack.set(line, end)
    end = pack.writeUInt8(lineFeed, end + line.length)
  }
  return pack
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
