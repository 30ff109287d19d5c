import * as z from 'zod'
import { type Digest, digestSchema } from '../manifest/digest.ts'

/** What a release can be at when the process ends: its code is being evaluated, or it has calls in flight. */
export type WorkKind = 'load' | 'call'

/** A release that was at work when the process ended, or is at work now. */
export interface Suspect {
  readonly function: string
  readonly atWork: readonly WorkKind[]
  /** How often the process ended meanwhile; loads since the last that came to its end. */
  readonly crashes: Readonly<Record<WorkKind, number>>
}

/** What an instance knows of the releases it has tried. Immutable: a change is another one. */
export interface CrashRecord {
  readonly suspects: Readonly<Record<Digest, Suspect>>
  /** Those that have proven themselves here: they are no suspects any more. */
  readonly proven: readonly Digest[]
}

export const emptyCrashRecord: CrashRecord = { suspects: {}, proven: [] }

export const crashRecordSchema: z.ZodType<CrashRecord> = z.object({
  suspects: z.record(
    digestSchema,
    z.object({
      function: z.string(),
      atWork: z.array(z.enum(['load', 'call'])),
      crashes: z.object({ load: z.int(), call: z.int() }),
    }),
  ),
  proven: z.array(digestSchema),
})

/** So many ends of the process while a release was at work are no coincidence. */
const maxCrashes = 2

/** After a start: whoever was at work when the process before ended is charged with it. */
export function chargeCrash(record: CrashRecord): CrashRecord {
  const suspects = entriesOf(record).map(([release, { atWork, crashes, ...suspect }]) => {
    const charged = (kind: WorkKind): number => crashes[kind] + (atWork.includes(kind) ? 1 : 0)
    const all = { load: charged('load'), call: charged('call') }
    return [release, { ...suspect, atWork: [], crashes: all }] as const
  })
  return { ...record, suspects: Object.fromEntries(suspects.filter(isSuspicious)) }
}

/** Releases that are not to be tried again. */
export function condemnedOf(record: CrashRecord): ReadonlyMap<Digest, Suspect> {
  return new Map(
    entriesOf(record).filter(
      ([, { crashes }]) => crashes.load >= maxCrashes || crashes.call >= maxCrashes,
    ),
  )
}

export function beginWork(
  record: CrashRecord,
  release: Digest,
  { function: name, kind }: { readonly function: string; readonly kind: WorkKind },
): CrashRecord {
  const before = record.suspects[release] ?? { ...innocent, function: name }
  return withSuspect(record, release, { ...before, atWork: [...before.atWork, kind] })
}

/** A load that ends shows that the loads before it were killed by something else; a call does not. */
export function endWork(record: CrashRecord, release: Digest, kind: WorkKind): CrashRecord {
  const before = record.suspects[release]
  if (before === undefined) return record
  return withSuspect(record, release, {
    ...before,
    atWork: before.atWork.filter((each) => each !== kind),
    crashes: kind === 'load' ? { ...before.crashes, load: 0 } : before.crashes,
  })
}

export function setProven(record: CrashRecord, release: Digest): CrashRecord {
  const { [release]: _acquitted, ...suspects } = record.suspects
  return { suspects, proven: [...record.proven.filter((each) => each !== release), release] }
}

/** Forgets releases nobody wants any more. */
export function keepWanted(record: CrashRecord, wanted: ReadonlySet<Digest>): CrashRecord {
  const suspects = entriesOf(record).filter(([release]) => wanted.has(release))
  const proven = record.proven.filter((release) => wanted.has(release))
  const isSame =
    suspects.length === entriesOf(record).length && proven.length === record.proven.length
  return isSame ? record : { suspects: Object.fromEntries(suspects), proven }
}

const innocent: Pick<Suspect, 'atWork' | 'crashes'> = { atWork: [], crashes: { load: 0, call: 0 } }

function withSuspect(record: CrashRecord, release: Digest, suspect: Suspect): CrashRecord {
  const { [release]: _before, ...others } = record.suspects
  const isKept = isSuspicious([release, suspect])
  return { ...record, suspects: isKept ? { ...others, [release]: suspect } : others }
}

function isSuspicious([, { atWork, crashes }]: readonly [Digest, Suspect]): boolean {
  return atWork.length > 0 || crashes.load > 0 || crashes.call > 0
}

function entriesOf({ suspects }: CrashRecord): [Digest, Suspect][] {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the keys of a record of digests
  return Object.entries(suspects) as [Digest, Suspect][]
}
