import * as z from 'zod'

/** What an alarm is about. Stable: receivers switch on these; the README says what to do about each. */
export const alarmCodes = [
  'ROLLOUT_ABORTED',
  'ROLLED_BACK',
  'FUNCTION_HELD',
  'FUNCTION_STOPPED',
  'HOLD_OVERDUE',
  'CANARY_TRIPPED',
  'STABLE_TRIPPED',
  'STABLE_FAILING',
  'REFUSED',
  'FROZEN',
  'FORKED',
  'MANIFEST_EXPIRES_SOON',
  'MANIFEST_EXPIRED',
  'MANIFEST_UNSEEN',
  'INSTANCES_LAG',
  'INSTANCES_SILENT',
  'ENVIRONMENT_UNREADABLE',
] as const

export type AlarmCode = (typeof alarmCodes)[number]

/** Something that somebody should know of, for as long as it is so. */
export interface Alarm {
  /** What makes it the same alarm from one reading to the next; without spaces around it. */
  readonly key: string
  readonly code: AlarmCode
  /** `critical`: users are hurt, or soon will be, or somebody tampers. `info`: on purpose, not to be forgotten. */
  readonly severity: 'critical' | 'warning' | 'info'
  readonly environment: string
  /** Full name; null when it concerns the whole environment. */
  readonly function: string | null
  /** What is so and what to do about it. */
  readonly text: string
  /** ISO 8601; of the first reading that saw it where nothing tells better. */
  readonly since: string
  /** Names of the instances that are concerned; empty when it is not about instances. */
  readonly instances: readonly string[]
  /** More for machines, by code. */
  readonly details: Readonly<Record<string, unknown>>
}

export const alarmSchema: z.ZodType<Alarm> = z.object({
  key: z.string(),
  code: z.enum(alarmCodes),
  severity: z.enum(['critical', 'warning', 'info']),
  environment: z.string(),
  function: z.string().nullable(),
  text: z.string(),
  since: z.iso.datetime(),
  instances: z.array(z.string()),
  details: z.record(z.string(), z.unknown()),
})
