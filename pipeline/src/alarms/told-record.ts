import { objectKey } from '@needle-faas/runtime/manifest'
import { isRuntimeError, type RuntimeError } from '@needle-faas/runtime/store'
import * as z from 'zod'
import type { EnvironmentAccess } from '../environment-state/read-environment.ts'
import { type Alarm, alarmSchema } from './alarm.ts'
import { type AlarmNotice, alarmNoticeSchema } from './alarm-notice.ts'

/**
 * What was told of an environment, so that no run tells it again: `environments/<env>/alarms.json`.
 * Unsigned: whoever may write it can keep an alarm quiet, and nothing else.
 */
export interface ToldRecord {
  readonly specVersion: 1
  /** The newest manifest that was looked at; null before the first. */
  readonly version: number | null
  readonly alarms: readonly Alarm[]
  /** News that the webhook did not take, oldest first. */
  readonly undelivered: readonly AlarmNotice[]
}

export const nothingTold: ToldRecord = Object.freeze({
  specVersion: 1,
  version: null,
  alarms: [],
  undelivered: [],
})

const maxBytes = 1024 * 1024
/** News older than so many others is not worth telling any more. */
const undeliveredKept = 100

const toldRecordSchema: z.ZodType<ToldRecord> = z.object({
  specVersion: z.literal(1),
  version: z.int().nullable(),
  alarms: z.array(alarmSchema),
  undelivered: z.array(alarmNoticeSchema),
})

/** One that is damaged, or of another version of Needle, counts as none: it is all told again. */
export async function readTold({
  store,
  environment,
  signal,
}: EnvironmentAccess): Promise<ToldRecord> {
  try {
    const found = await store.get(objectKey.alarms(environment), { maxBytes, signal })
    if (found.status !== 'found') return nothingTold
    return toldRecordSchema.parse(JSON.parse(new TextDecoder().decode(found.bytes)))
  } catch (error) {
    const isDamage =
      isRuntimeError(error, 'DOCUMENT_TOO_LARGE') ||
      error instanceof SyntaxError ||
      error instanceof z.ZodError
    if (!isDamage) throw error
    return nothingTold
  }
}

/** Null when it is written; why not when the store does not take it. */
export async function writeTold(
  { store, environment, signal }: EnvironmentAccess,
  record: ToldRecord,
): Promise<RuntimeError | null> {
  const kept = { ...record, undelivered: record.undelivered.slice(-undeliveredKept) }
  const bytes = new TextEncoder().encode(JSON.stringify(kept))
  try {
    await store.put(objectKey.alarms(environment), bytes, { signal })
    return null
  } catch (error) {
    if (!isRuntimeError(error)) throw error
    return error
  }
}
