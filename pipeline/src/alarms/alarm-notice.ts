import { digestHex, digestOf } from '@needle-faas/runtime/manifest'
import * as z from 'zod'
import { type Alarm, alarmSchema } from './alarm.ts'

/** That an alarm began, or is over. */
export interface AlarmNotice {
  /**
   * The same for the same news, whoever finds it and however often it is sent: receivers drop what
   * they had.
   */
  readonly id: string
  readonly status: 'raised' | 'resolved'
  /** ISO 8601; when it was found. */
  readonly at: string
  readonly alarm: Alarm
}

export const alarmNoticeSchema: z.ZodType<AlarmNotice> = z.object({
  id: z.string(),
  status: z.enum(['raised', 'resolved']),
  at: z.iso.datetime(),
  alarm: alarmSchema,
})

export interface AlarmNews {
  /** What is so now; an alarm that was known keeps the `since` it was told with. */
  readonly alarms: readonly Alarm[]
  readonly notices: readonly AlarmNotice[]
}

/**
 * What is new between the alarms that were told and those there are now. An alarm whose text or
 * instances changed is the same alarm.
 *
 * @param now - Epoch milliseconds.
 */
export function compareAlarms(
  told: readonly Alarm[],
  found: readonly Alarm[],
  now: number,
): AlarmNews {
  const known = new Map(told.map((alarm) => [alarm.key, alarm]))
  const alarms = found.map((alarm) => {
    const { since = alarm.since } = known.get(alarm.key) ?? {}
    return Object.assign({}, alarm, { since })
  })
  const present = new Set(found.map(({ key }) => key))
  const toNotice = (status: AlarmNotice['status']) => (alarm: Alarm) => ({
    id: `msg_${digestHex(digestOf([alarm.environment, alarm.key, alarm.since, status].join('\n'))).slice(0, 32)}`,
    status,
    at: new Date(now).toISOString(),
    alarm,
  })
  return {
    alarms,
    notices: [
      ...told.filter(({ key }) => !present.has(key)).map(toNotice('resolved')),
      ...alarms.filter(({ key }) => !known.has(key)).map(toNotice('raised')),
    ],
  }
}
