import type { Clock } from '../clock.ts'
import type { ProbationRecord } from '../function/probation.ts'
import type { Digest } from '../manifest/digest.ts'
import { atExit } from './at-exit.ts'
import { type CacheFaults, messageOf } from './cache-faults.ts'
import { type CrashEntry, crashEntrySchema, createCrashRecord } from './crash-record.ts'
import type { Suspect, WorkKind } from './crash-suspects.ts'
import { createJournal } from './journal.ts'
import { pause } from '../pause.ts'

/**
 * Remembers across restarts which release was at work when the process ended, so that one that ends
 * it (out of memory, a native crash) is not tried for ever. On the record are releases that have not
 * proven themselves here, and after an end that was not clean all of them for a while: what ends a
 * process again and again may have proven itself before it did. What is told has reached the journal
 * when a method returns; see there what outlives what. Without a file it forgets.
 */
export interface CrashMemory {
  /** To be called once, before any other. */
  start(): Promise<CrashesBefore>
  isProven(release: Digest): boolean
  /** Whether its work is to be told of. */
  isOnRecord(release: Digest): boolean
  /** Runs the evaluation of a release's code, on the record if that is due. */
  duringLoad<Result>(work: Work, load: () => Promise<Result>): Promise<Result>
  /** Of the calls and timers of a revision. */
  recordOf(work: Work): ProbationRecord
  /** Forgets all other releases. */
  keepOnly(releases: ReadonlySet<Digest>): void
  /** A clean end charges nobody; so is one of the process by itself with exit code 0. */
  close(): void
}

/** What a process is to know that follows others. */
export interface CrashesBefore {
  /** Releases that are not to be tried now. */
  readonly condemned: ReadonlyMap<Digest, Suspect>
  /** Until when everything is on the record, in epoch milliseconds; null after a clean end, and the first time. */
  readonly watchedUntil: number | null
}

export interface Work {
  readonly function: string
  readonly release: Digest
}

export interface CrashMemoryOptions {
  /**
   * A file as versions before the journal wrote it is one of a single entry, and understood; such a
   * version takes a journal for a damaged file and begins anew.
   */
  readonly file: string | null
  readonly clock: Clock
  readonly faults: CacheFaults
  /** What earlier processes told cannot be understood. */
  readonly onForgotten: (message: string) => void
}

/** A crash loop is quicker, and nobody waits for it longer. */
const watchMs = 10 * 60 * 1000

export function createCrashMemory(options: CrashMemoryOptions): CrashMemory {
  const { file, clock, faults, onForgotten } = options
  const record = createCrashRecord()
  const journal =
    file === null
      ? null
      : createJournal<CrashEntry>({
          file,
          schema: crashEntrySchema,
          snapshot: () => record.snapshot(),
          now: () => clock.now(),
          onFault: (cause) =>
            faults.fail(
              'crashes',
              `${file} cannot be written: ${messageOf(cause)}. The instance serves, but will not know after a restart what ended the process.`,
            ),
          onMended: () => faults.mend('crashes'),
          onSetAside: (aside, cause) =>
            onForgotten(
              `${file} cannot be read: ${messageOf(cause)}. It lies as ${aside} now, and a new one is begun: releases that ended the process before are tried again.`,
            ),
        })

  const tell = (entry: CrashEntry): void => {
    if (record.apply(entry)) journal?.append(entry)
  }

  let watchedUntil = Number.NEGATIVE_INFINITY
  /** Also one that is tried again after it was condemned, whenever that is. */
  const isWatched = (release: Digest): boolean => {
    const triedAgainAt = record.suspect(release)?.condemnation?.until ?? Number.NEGATIVE_INFINITY
    return clock.now() < Math.max(watchedUntil, triedAgainAt + watchMs)
  }
  const isOnRecord = (release: Digest): boolean =>
    !record.isProven(release) || record.suspect(release) !== undefined || isWatched(release)

  /**
   * Each kind of work of a release, counted: of what goes on at once only the last end is told, as
   * only the first beginning is news.
   */
  const running = { load: new Map<Digest, number>(), call: new Map<Digest, number>() }

  const begin = ({ function: name, release }: Work, kind: WorkKind): void => {
    running[kind].set(release, (running[kind].get(release) ?? 0) + 1)
    // A call that began to wait before the release had proven itself.
    if (!isOnRecord(release)) return
    tell({ change: 'begin', kind, release, function: name })
  }

  const end = ({ release }: Work, kind: WorkKind): void => {
    const left = (running[kind].get(release) ?? 1) - 1
    if (left > 0) return void running[kind].set(release, left)
    running[kind].delete(release)
    tell({ change: 'end', kind, release })
  }

  /** Null before the start. */
  let forgetExit: (() => void) | null = null
  const close = (): void => {
    if (forgetExit !== null) tell({ change: 'closed' })
    forgetExit?.()
    // Not folded: a process that is to follow this one may have begun, and its journal with it.
    journal?.close()
  }

  return {
    start: async () => {
      for (const entry of (await journal?.read()) ?? []) {
        await pause()
        record.apply(entry)
      }
      await pause()
      const hasCrashed = record.isOpen
      const now = clock.now()
      record.chargeCrash(now)
      if (hasCrashed) watchedUntil = now + watchMs
      journal?.fold()
      forgetExit = atExit((code) => {
        if (code === 0) close()
      })
      return { condemned: record.condemned(now), watchedUntil: hasCrashed ? watchedUntil : null }
    },
    isProven: (release) => record.isProven(release),
    isOnRecord,
    duringLoad: async (work, load) => {
      if (!isOnRecord(work.release)) return load()
      begin(work, 'load')
      try {
        return await load()
      } finally {
        end(work, 'load')
      }
    },
    recordOf: (work) => ({
      get isWatched() {
        return isWatched(work.release)
      },
      isProven: record.isProven(work.release),
      begins: () => begin(work, 'call'),
      ends: () => end(work, 'call'),
      graduates: () => tell({ change: 'proven', release: work.release }),
    }),
    keepOnly: (releases) => {
      if (record.keepOnly(releases)) journal?.fold()
    },
    close,
  }
}
