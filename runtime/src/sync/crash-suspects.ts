import * as z from 'zod/mini'
import { type Digest, digestSchema } from '../manifest/digest.ts'

/**
 * What a release can be at when the process ends: its code is being evaluated, or it has calls in flight
 * or timers open.
 */
export type WorkKind = 'load' | 'call'

/** A release that was at work when the process ended, or is at work now. */
export interface Suspect {
  readonly function: string
  readonly atWork: readonly WorkKind[]
  /** How often the process ended meanwhile; loads since the last that came to its end. */
  readonly crashes: Readonly<Record<WorkKind, number>>
  /** The last one; it may be over. Null when it was never condemned. */
  readonly condemnation: Condemnation | null
}

/** A release is not to be tried. */
export interface Condemnation {
  /** How often it was condemned, this time included. */
  readonly times: number
  /** When it may be tried again, in epoch milliseconds; null: never. */
  readonly until: number | null
}

const workKindSchema = z.enum(['load', 'call'])

export const suspectSchema: z.ZodMiniType<Suspect> = z.object({
  function: z.string(),
  atWork: z.array(workKindSchema),
  crashes: z.object({ load: z.int(), call: z.int() }),
  // Versions before there was one wrote none.
  condemnation: z._default(
    z.nullable(z.object({ times: z.int(), until: z.nullable(z.number()) })),
    null,
  ),
})

/** What happens to a release. */
export type CrashChange =
  | {
      readonly change: 'begin'
      readonly kind: WorkKind
      readonly release: Digest
      readonly function: string
    }
  | { readonly change: 'end'; readonly kind: WorkKind; readonly release: Digest }
  | { readonly change: 'proven'; readonly release: Digest }

export const crashChangeSchema: z.ZodMiniType<CrashChange> = z.discriminatedUnion('change', [
  z.object({
    change: z.literal('begin'),
    kind: workKindSchema,
    release: digestSchema,
    function: z.string(),
  }),
  z.object({ change: z.literal('end'), kind: workKindSchema, release: digestSchema }),
  z.object({ change: z.literal('proven'), release: digestSchema }),
])

/** So many ends of the process while a release was at work are no coincidence. */
const maxCrashes = 2
/** How long one is not tried that may be innocent; twice as long each time. */
const firstHoldMs = 60 * 60 * 1000
const longestHoldMs = 24 * firstHoldMs

const innocent = { atWork: [], crashes: { load: 0, call: 0 }, condemnation: null } as const

/** Undefined: nothing speaks against it. The same value when nothing changes. */
export function suspectAfter(
  before: Suspect | undefined,
  change: CrashChange,
): Suspect | undefined {
  if (change.change === 'begin') {
    return afterBegin(before ?? { ...innocent, function: change.function }, change.kind)
  }
  if (before === undefined) return undefined
  return change.change === 'end' ? afterEnd(before, change.kind) : acquitted(before)
}

/**
 * After an end of the process that was not clean: whoever was at work is charged with it. Of those it
 * happened to twice only one is condemned, as one is enough to end a process: who was at work most
 * often, and began last. If that was the wrong one, the next end shows who else it can be.
 *
 * One that had proven itself before, or was not alone, may be innocent: it is tried again an hour later,
 * then two, up to a day. Any other never is.
 */
export function afterCrash(
  suspects: ReadonlyMap<Digest, Suspect>,
  { proven, now }: { readonly proven: ReadonlySet<Digest>; readonly now: number },
): ReadonlyMap<Digest, Suspect> {
  const charged = new Map<Digest, Suspect>()
  const candidates: { release: Digest; suspect: Suspect; crashes: number }[] = []
  for (const [release, before] of suspects) {
    const suspect = charge(before)
    if (suspect === undefined) continue
    charged.set(release, suspect)
    const crashes = Math.max(0, ...before.atWork.map((kind) => suspect.crashes[kind]))
    if (crashes >= maxCrashes) candidates.push({ release, suspect, crashes })
  }
  const most = Math.max(...candidates.map(({ crashes }) => crashes))
  const culprit = candidates.findLast(({ crashes }) => crashes === most)
  if (culprit === undefined) return charged
  const { release, suspect } = culprit
  const times = (suspect.condemnation?.times ?? 0) + 1
  const isCertain = candidates.length === 1 && !proven.has(release)
  const until = isCertain ? null : now + Math.min(firstHoldMs * 2 ** (times - 1), longestHoldMs)
  return charged.set(release, { ...suspect, condemnation: { times, until } })
}

/** A clean end: nobody is charged with it. */
export function atRest(suspect: Suspect): Suspect | undefined {
  return unlessInnocent({ ...suspect, atWork: [] })
}

/** Whether a release is not to be tried now. */
export function isCondemned({ condemnation }: Suspect, now: number): boolean {
  if (condemnation === null) return false
  return condemnation.until === null || condemnation.until > now
}

function charge(before: Suspect): Suspect | undefined {
  const { atWork, crashes } = before
  const charged = (kind: WorkKind): number => crashes[kind] + (atWork.includes(kind) ? 1 : 0)
  return atRest({ ...before, crashes: { load: charged('load'), call: charged('call') } })
}

function afterBegin(before: Suspect, kind: WorkKind): Suspect {
  return before.atWork.includes(kind) ? before : { ...before, atWork: [...before.atWork, kind] }
}

/** A load that ends shows that the loads before it were killed by something else; a call does not. */
function afterEnd(before: Suspect, kind: WorkKind): Suspect | undefined {
  return unlessInnocent({
    ...before,
    atWork: before.atWork.filter((each) => each !== kind),
    crashes: kind === 'load' ? { ...before.crashes, load: 0 } : before.crashes,
  })
}

/** That it was condemned is kept, so that the next time is longer. */
function acquitted({ function: name, condemnation }: Suspect): Suspect | undefined {
  return unlessInnocent({ ...innocent, function: name, condemnation })
}

function unlessInnocent(suspect: Suspect): Suspect | undefined {
  const { atWork, crashes, condemnation } = suspect
  const isInnocent = atWork.length === 0 && crashes.load === 0 && crashes.call === 0
  return isInnocent && condemnation === null ? undefined : suspect
}
