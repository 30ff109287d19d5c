import {
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs'
import path from 'node:path'
import type * as z from 'zod/mini'
import { hasErrno } from '../store/file-error.ts'
import { parseJournal } from './parse-journal.ts'

/**
 * A file of one JSON line per entry, for what a process must have said before it dies. Every write
 * is a synchronous append to an open file: it takes microseconds and reaches the page cache, which
 * outlives the process however that ends. Nothing is flushed to the disk: after a power cut the last
 * entries, or all, may be gone. For a local disk; one that hangs holds up the event loop.
 *
 * For one process. Of two on one file the one that folded last is believed, as a rule the one that
 * started last, and what the other appends is lost; nothing is damaged.
 *
 * No method throws: without the disk the process goes on, and forgets.
 */
export interface Journal<Entry> {
  /**
   * What an earlier process wrote, oldest first; none when there is no file. A file that cannot be
   * understood is set aside.
   */
  read(): Promise<readonly Entry[]>
  /** Adds an entry that the snapshot already holds: it may be folded instead. */
  append(entry: Entry): void
  /** Replaces all entries by the snapshot, at once or not at all. */
  fold(): void
  /** Nothing is written after it. */
  close(): void
}

export interface JournalOptions<Entry> {
  readonly file: string
  readonly schema: z.ZodMiniType<Entry>
  /** An entry that stands for all before it. */
  readonly snapshot: () => Entry
  /** Epoch milliseconds. */
  readonly now: () => number
  /** The file cannot be written: entries are lost until `onMended`. Called at every try. */
  readonly onFault: (cause: unknown) => void
  readonly onMended: () => void
  /** The file could not be understood, and lies under this name now. */
  readonly onSetAside: (aside: string, cause: unknown) => void
}

/** Read within milliseconds at a start, and folded every 1,000 calls or so. */
const maxAppendedBytes = 256 * 1024
/** More than a snapshot of 50,000 releases: not ours. */
const maxBytes = 16 * 1024 * 1024
/** A disk that is full is not asked again at every call. */
const retryAfterMs = 10_000

export function createJournal<Entry>(options: JournalOptions<Entry>): Journal<Entry> {
  const { file, schema, snapshot, now, onFault, onMended, onSetAside } = options
  /** Null before the first fold, after a failure and after the end. */
  let descriptor: number | null = null
  let appendedBytes = 0
  let retryAt = Number.NEGATIVE_INFINITY
  let isClosed = false

  const letGo = (): void => {
    const held = descriptor
    descriptor = null
    if (held !== null) closeSync(held)
  }

  const attempt = (work: () => void): void => {
    try {
      work()
    } catch (cause) {
      retryAt = now() + retryAfterMs
      onFault(cause)
      attempt(letGo)
    }
  }

  const fold = (): void => {
    if (isClosed) return
    attempt(() => {
      letGo()
      descriptor = createReplacement(file, toLine(snapshot()))
      appendedBytes = 0
      onMended()
    })
  }

  return {
    read: async () => {
      try {
        return await parseJournal(readText(file), schema)
      } catch (cause) {
        if (hasErrno(cause, 'ENOENT', 'ENOTDIR')) return []
        const aside = `${file}.damaged`
        attempt(() => {
          renameSync(file, aside)
          onSetAside(aside, cause)
        })
        return []
      }
    },
    append: (entry) => {
      if (isClosed) return
      if (descriptor === null) {
        if (now() >= retryAt) fold()
        return
      }
      const held = descriptor
      attempt(() => {
        appendedBytes += writeWhole(held, toLine(entry))
        if (appendedBytes > maxAppendedBytes) fold()
      })
    },
    fold,
    close: () => {
      isClosed = true
      attempt(letGo)
    },
  }
}

/** Throws what a file system throws, and of a file that is too long. */
function readText(file: string): string {
  const { size } = statSync(file)
  if (size > maxBytes) throw new Error(`it has ${size} bytes`)
  return readFileSync(file, 'utf8')
}

/** Gives the line its name once it is whole; returns the open file. */
function createReplacement(file: string, line: string): number {
  const temporary = `${file}.new`
  mkdirSync(path.dirname(file), { recursive: true })
  // Left by a process that died in between.
  rmSync(temporary, { force: true })
  const created = openSync(temporary, 'ax')
  try {
    writeWhole(created, line)
    renameSync(temporary, file)
    return created
  } catch (error) {
    closeSync(created)
    rmSync(temporary, { force: true })
    throw error
  }
}

/** A disk that fills up takes a part, which a reader would take for the end. */
function writeWhole(descriptor: number, line: string): number {
  const bytes = Buffer.from(line)
  const written = writeSync(descriptor, bytes)
  if (written < bytes.length) throw new Error(`no space left: ${written} of ${bytes.length} bytes`)
  return written
}

function toLine(entry: unknown): string {
  return `${JSON.stringify(entry)}\n`
}
