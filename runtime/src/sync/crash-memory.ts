import type { Clock } from '../clock.ts'
import type { ProbationRecord } from '../function/probation.ts'
import type { Digest } from '../manifest/digest.ts'
import {
  beginWork,
  chargeCrash,
  condemnedOf,
  type CrashRecord,
  endWork,
  keepWanted,
  setProven,
  type Suspect,
  type WorkKind,
} from './crash-suspects.ts'
import type { DiskCache } from './disk-cache.ts'

/**
 * Remembers across restarts which release was at work when the process ended, so that one that ends
 * it (out of memory, a native crash) is not tried for ever. Without a cache directory it forgets.
 */
export interface CrashMemory {
  /** To be called once, after the cache is open. Resolves to the releases that are not to be tried again. */
  start(): Promise<ReadonlyMap<Digest, Suspect>>
  isProven(release: Digest): boolean
  /** Runs the evaluation of a release's code, on the record if it is not proven. */
  duringLoad<Result>(work: Work, load: () => Promise<Result>): Promise<Result>
  /** Of the calls of a revision on probation. */
  recordOf(work: Work): ProbationRecord
  /** Forgets all other releases. */
  keepOnly(releases: ReadonlySet<Digest>): void
  /** A clean end charges nobody. */
  close(): Promise<void>
}

export interface Work {
  readonly function: string
  readonly release: Digest
}

/** A disk that hangs must not hold up calls for longer. */
const patienceMs = 100

export function createCrashMemory(options: {
  readonly cache: DiskCache
  readonly clock: Clock
}): CrashMemory {
  const { cache, clock } = options
  let record: CrashRecord = cache.crashes
  let writing: Promise<void> | null = null
  let nextWrite: Promise<void> | null = null

  /** Of many changes during one write the last is enough; resolves when the present one is on disk. */
  const write = (): Promise<void> => {
    if (writing === null) {
      writing = cache.updateCrashes(record).finally(() => (writing = null))
      return writing
    }
    nextWrite ??= writing.then(() => {
      nextWrite = null
      return write()
    })
    return nextWrite
  }

  const change = async (next: CrashRecord): Promise<void> => {
    if (next === record) return
    record = next
    await write()
  }

  /** Each kind of work of a release, counted: only its first beginning and its last end are told. */
  const running = { load: new Map<Digest, number>(), call: new Map<Digest, number>() }

  const begin = async ({ function: name, release }: Work, kind: WorkKind): Promise<void> => {
    const before = running[kind].get(release) ?? 0
    running[kind].set(release, before + 1)
    const written =
      before === 0
        ? change(beginWork(record, release, { function: name, kind }))
        : (nextWrite ?? writing)
    if (written === null) return
    const done = new AbortController()
    const overdue = clock.sleep(patienceMs, done.signal)
    await Promise.race([written.finally(() => done.abort()), overdue])
  }

  const end = ({ release }: Work, kind: WorkKind): void => {
    const left = (running[kind].get(release) ?? 1) - 1
    if (left > 0) return void running[kind].set(release, left)
    running[kind].delete(release)
    void change(endWork(record, release, kind))
  }

  return {
    start: async () => {
      await change(chargeCrash(cache.crashes))
      return condemnedOf(record)
    },
    isProven: (release) => record.proven.includes(release),
    duringLoad: async (work, load) => {
      if (record.proven.includes(work.release)) return load()
      await begin(work, 'load')
      try {
        return await load()
      } finally {
        end(work, 'load')
      }
    },
    recordOf: (work) => ({
      callBegins: () => begin(work, 'call'),
      callEnds: () => end(work, 'call'),
      graduates: () => void change(setProven(record, work.release)),
    }),
    keepOnly: (releases) => void change(keepWanted(record, releases)),
    close: async () => {
      for (const release of running.load.keys()) record = endWork(record, release, 'load')
      for (const release of running.call.keys()) record = endWork(record, release, 'call')
      await write()
    },
  }
}
