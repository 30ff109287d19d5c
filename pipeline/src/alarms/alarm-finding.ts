import type { Alarm } from './alarm.ts'

/** What an alarm says; the rest follows from where it was found. */
export type AlarmFinding = Omit<
  Alarm,
  'key' | 'environment' | 'function' | 'instances' | 'details'
> & {
  /** Tells alarms of one code and function apart. */
  readonly subject?: string
  readonly function?: string
  readonly instances?: readonly string[]
  readonly details?: Readonly<Record<string, unknown>>
}
