import * as z from 'zod/mini'

/**
 * A time in which nothing goes forward, as people write it in a calendar: on these days from then
 * to then, by the clocks of a time zone. Nothing that goes backward asks for it.
 */
export interface FreezeWindow {
  /** Days it begins on: `mon` to `sun`, or dates as `2026-11-27`. */
  readonly days: readonly string[]
  /** `HH:MM`. */
  readonly from: string
  /** `HH:MM`, to `24:00`. Not later than `from`: it ends on the day after. */
  readonly to: string
  /** IANA name: `Europe/Berlin`, `UTC`. */
  readonly timeZone: string
  readonly reason: string
}

/** Loose, so that a runtime takes what a later version of the pipeline writes. */
export const freezeWindowSchema: z.ZodMiniType<FreezeWindow> = z.looseObject({
  days: z.array(z.string()).check(z.maxLength(400)),
  from: z.string(),
  to: z.string(),
  timeZone: z.string(),
  reason: z.string(),
})
