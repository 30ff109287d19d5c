import type { Clock } from '../clock.ts'
import type { ProbationRecord } from '../function/probation.ts'
import type { Digest } from '../manifest/digest.ts'
import { type CacheFaults, messageOf } from './cache-faults.ts'
import { type CrashEntry, crashEntrySchema, createCrashRecord } from './crash-record.ts'
import type { Suspect, WorkKind } from './crash-suspects.ts'
import { createJournal } from './journal.ts'
import { pause } from '../pause.ts'

/**
 * Remembers across restarts which release was at work when the process ended, so that one that ends
 * it (out of memory, a native crash) is not tried for ever. What is told has reached the journal
 * when a method returns; see there what outlives what. Without a file it forgets.
 */
export interface CrashMemory {
  /** To be called once, before any other. Yields the releases that are not to be tried again. */
  start(): Promise<ReadonlyMap<Digest, Suspect>>
  isProven(release: Digest): boolean
  /** Runs the evaluation of a release's code, on the record if it is not proven. */
  duringLoad<Result>(work: Work, load: () => Promise<Result>): Promise<Result>
  /** Of the calls of a revision on probation. */
  recordOf(work: Work): ProbationRecord
  /** Forgets all other releases. */
  keepOnly(releases: ReadonlySet<Digest>): void
  /** A clean end charges nobody. */
  close(): void
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

  /**
   * Each kind of work of a release, counted: of what goes on at once only the last end is told, as
   * only the first beginning is news.
   */
  const running = { load: new Map<Digest, number>(), call: new Map<Digest, number>() }

  const begin = ({ function: name, release }: Work, kind: WorkKind): void => {
    running[kind].set(release, (running[kind].get(release) ?? 0) + 1)
    tell({ change: 'begin', kind, release, function: name })
  }

  const end = ({ release }: Work, kind: WorkKind): void => {
    const left = (running[kind].get(release) ?? 1) - 1
    if (left > 0) return void running[kind].set(release, left)
    running[kind].delete(release)
    tell({ change: 'end', kind, release })
  }

  return {
    start: async () => {
      for (const entry of (await journal?.read()) ?? []) {
        await pause()
        record.apply(entry)
      }
      await pause()
      record.chargeCrash()
      journal?.fold()
      return record.condemned()
    },
    isProven: (release) => record.isProven(release),
    duringLoad: async (work, load) => {
      if (record.isProven(work.release)) return load()
      begin(work, 'load')
      try {
        return await load()
      } finally {
        end(work, 'load')
      }
    },
    recordOf: (work) => ({
      callBegins: () => begin(work, 'call'),
      callEnds: () => end(work, 'call'),
      graduates: () => tell({ change: 'proven', release: work.release }),
    }),
    keepOnly: (releases) => {
      if (record.keepOnly(releases)) journal?.fold()
    },
    close: () => {
      for (const kind of ['load', 'call'] as const) {
        for (const release of running[kind].keys()) tell({ change: 'end', kind, release })
      }
      // Not folded: a process that is to follow this one may have begun, and its journal with it.
      journal?.close()
    },
  }
}
