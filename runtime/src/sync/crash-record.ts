import * as z from 'zod/mini'
import { type Digest, digestSchema } from '../manifest/digest.ts'
import {
  afterCrash,
  atRest,
  type CrashChange,
  crashChangeSchema,
  isCondemned,
  type Suspect,
  suspectAfter,
  suspectSchema,
} from './crash-suspects.ts'

/** All an instance knows of the releases it has tried. A process that writes it is running. */
export interface CrashSnapshot {
  /** Who began last comes last. */
  readonly suspects: Readonly<Record<Digest, Suspect>>
  /** Those that have proven themselves here. */
  readonly proven: readonly Digest[]
}

/** The process ends, and cleanly: with nobody at work. */
interface Closed {
  readonly change: 'closed'
}

/** What is told to the disk: what happened, or how all of it stands. */
export type CrashEntry = CrashChange | Closed | CrashSnapshot

export const crashEntrySchema: z.ZodMiniType<CrashEntry> = z.union([
  crashChangeSchema,
  z.object({ change: z.literal('closed') }),
  z.object({ suspects: z.record(digestSchema, suspectSchema), proven: z.array(digestSchema) }),
])

/** What an instance knows of the releases it has tried, as it changes. In memory only. */
export interface CrashRecord {
  /** Whether a process has begun and was not closed: who reads that at a start has followed a crash. */
  readonly isOpen: boolean
  isProven(release: Digest): boolean
  /** What speaks against a release; undefined when nothing does. */
  suspect(release: Digest): Suspect | undefined
  /** False when that was known. A snapshot replaces all that was. */
  apply(entry: CrashEntry): boolean
  /** Charges whoever was at work; see `afterCrash`. */
  chargeCrash(now: number): void
  /** Releases that are not to be tried now. */
  condemned(now: number): ReadonlyMap<Digest, Suspect>
  /** Forgets all other releases; false when there was none. */
  keepOnly(wanted: ReadonlySet<Digest>): boolean
  snapshot(): CrashSnapshot
}

export function createCrashRecord(): CrashRecord {
  let suspects = new Map<Digest, Suspect>()
  let proven = new Set<Digest>()
  let isOpen = false

  const set = (release: Digest, suspect: Suspect | undefined): void => {
    if (suspect === undefined) suspects.delete(release)
    else suspects.set(release, suspect)
  }
  const restore = (snapshot: CrashSnapshot): void => {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the keys of a record of digests
    suspects = new Map(Object.entries(snapshot.suspects) as [Digest, Suspect][])
    proven = new Set(snapshot.proven)
    isOpen = true
  }
  const close = (): void => {
    isOpen = false
    for (const [release, suspect] of suspects) set(release, atRest(suspect))
  }
  const change = (entry: CrashChange): boolean => {
    const { release } = entry
    const isNew = entry.change === 'proven' && !proven.has(release)
    if (isNew) proven.add(release)
    const before = suspects.get(release)
    const after = suspectAfter(before, entry)
    if (after === before) return isNew
    // To the end of the list.
    if (entry.change === 'begin') suspects.delete(release)
    set(release, after)
    return true
  }

  return {
    get isOpen() {
      return isOpen
    },
    isProven: (release) => proven.has(release),
    suspect: (release) => suspects.get(release),
    apply: (entry) => {
      if ('suspects' in entry) restore(entry)
      else if (entry.change === 'closed') close()
      else return change(entry)
      return true
    },
    chargeCrash: (now) => {
      suspects = new Map(afterCrash(suspects, { proven, now }))
    },
    condemned: (now) => new Map([...suspects].filter(([, suspect]) => isCondemned(suspect, now))),
    keepOnly: (wanted) => {
      const unwanted = [...suspects.keys(), ...proven].filter((release) => !wanted.has(release))
      for (const release of unwanted) {
        suspects.delete(release)
        proven.delete(release)
      }
      return unwanted.length > 0
    },
    snapshot: () => ({ suspects: Object.fromEntries(suspects), proven: [...proven] }),
  }
}
