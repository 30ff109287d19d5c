import * as z from 'zod/mini'
import { type Digest, digestSchema } from '../manifest/digest.ts'
import {
  type CrashChange,
  crashChangeSchema,
  isCondemned,
  type Standing,
  standingAfter,
  standingAfterCrash,
  type Suspect,
  suspectSchema,
} from './crash-suspects.ts'

/** All an instance knows of the releases it has tried. */
export interface CrashSnapshot {
  readonly suspects: Readonly<Record<Digest, Suspect>>
  /** Those that have proven themselves here: they are no suspects any more. */
  readonly proven: readonly Digest[]
}

/** What is told to the disk: what happened, or how all of it stands. */
export type CrashEntry = CrashChange | CrashSnapshot

export const crashEntrySchema: z.ZodMiniType<CrashEntry> = z.union([
  crashChangeSchema,
  z.object({ suspects: z.record(digestSchema, suspectSchema), proven: z.array(digestSchema) }),
])

/** What an instance knows of the releases it has tried, as it changes. In memory only. */
export interface CrashRecord {
  isProven(release: Digest): boolean
  /** False when that was known. A snapshot replaces all that was. */
  apply(entry: CrashEntry): boolean
  /** Charges whoever was at work; see `standingAfterCrash`. */
  chargeCrash(): void
  /** Releases that are not to be tried again. */
  condemned(): ReadonlyMap<Digest, Suspect>
  /** Forgets all other releases; false when there was none. */
  keepOnly(wanted: ReadonlySet<Digest>): boolean
  snapshot(): CrashSnapshot
}

export function createCrashRecord(): CrashRecord {
  const standings = new Map<Digest, NonNullable<Standing>>()

  const set = (release: Digest, standing: Standing): void => {
    if (standing === undefined) standings.delete(release)
    else standings.set(release, standing)
  }
  const suspects = (): [Digest, Suspect][] =>
    [...standings].flatMap(([release, standing]) =>
      standing === 'proven' ? [] : [[release, standing] as [Digest, Suspect]],
    )
  const restore = (snapshot: CrashSnapshot): void => {
    standings.clear()
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the keys of a record of digests
    for (const [release, suspect] of Object.entries(snapshot.suspects) as [Digest, Suspect][]) {
      standings.set(release, suspect)
    }
    for (const release of snapshot.proven) standings.set(release, 'proven')
  }

  return {
    isProven: (release) => standings.get(release) === 'proven',
    apply: (entry) => {
      if ('suspects' in entry) {
        restore(entry)
        return true
      }
      const before = standings.get(entry.release)
      const standing = standingAfter(before, entry)
      set(entry.release, standing)
      return standing !== before
    },
    chargeCrash: () => {
      for (const [release, standing] of standings) set(release, standingAfterCrash(standing))
    },
    condemned: () => new Map(suspects().filter(([, suspect]) => isCondemned(suspect))),
    keepOnly: (wanted) => {
      const unwanted = [...standings.keys()].filter((release) => !wanted.has(release))
      for (const release of unwanted) standings.delete(release)
      return unwanted.length > 0
    },
    snapshot: () => ({
      suspects: Object.fromEntries(suspects()),
      proven: [...standings].flatMap(([release, each]) => (each === 'proven' ? [release] : [])),
    }),
  }
}
