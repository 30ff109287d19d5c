import * as z from 'zod/mini'
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

const workKindSchema = z.enum(['load', 'call'])

export const suspectSchema: z.ZodMiniType<Suspect> = z.object({
  function: z.string(),
  atWork: z.array(workKindSchema),
  crashes: z.object({ load: z.int(), call: z.int() }),
})

/** What is known of a release here. A proven one stays so; undefined: nothing speaks against it. */
export type Standing = Suspect | 'proven' | undefined

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

const innocent: Pick<Suspect, 'atWork' | 'crashes'> = { atWork: [], crashes: { load: 0, call: 0 } }

/** The same value when nothing changes. */
export function standingAfter(before: Standing, change: CrashChange): Standing {
  if (before === 'proven' || change.change === 'proven') return 'proven'
  if (change.change === 'end') return before && afterEnd(before, change.kind)
  if (before?.atWork.includes(change.kind) === true) return before
  const suspect = before ?? { ...innocent, function: change.function }
  return { ...suspect, atWork: [...suspect.atWork, change.kind] }
}

/** After a start: whoever was at work when the process before ended is charged with it. */
export function standingAfterCrash(before: Standing): Standing {
  if (before === undefined || before === 'proven') return before
  const { atWork, crashes } = before
  const charged = (kind: WorkKind): number => crashes[kind] + (atWork.includes(kind) ? 1 : 0)
  const all = { load: charged('load'), call: charged('call') }
  return unlessInnocent({ ...before, atWork: [], crashes: all })
}

/** Whether a release is not to be tried again. */
export function isCondemned({ crashes }: Suspect): boolean {
  return crashes.load >= maxCrashes || crashes.call >= maxCrashes
}

/** A load that ends shows that the loads before it were killed by something else; a call does not. */
function afterEnd(before: Suspect, kind: WorkKind): Standing {
  return unlessInnocent({
    ...before,
    atWork: before.atWork.filter((each) => each !== kind),
    crashes: kind === 'load' ? { ...before.crashes, load: 0 } : before.crashes,
  })
}

function unlessInnocent(suspect: Suspect): Suspect | undefined {
  const { atWork, crashes } = suspect
  return atWork.length > 0 || crashes.load > 0 || crashes.call > 0 ? suspect : undefined
}
