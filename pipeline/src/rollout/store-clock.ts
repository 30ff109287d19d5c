import type { Clock } from '@needle-faas/runtime/store'
import type { EnvironmentAccess } from '../environment-state/read-environment.ts'
import { PipelineError } from '../errors.ts'

/** Asked again after this, in milliseconds: in between only the difference of this clock counts. */
const askedEveryMs = 60_000

/**
 * Tells the time by the clock of the store, which dates the reports and the history as well, so
 * that it matters little how wrong the clocks of instances and controllers are. An S3 store told it
 * with what it answered last: ask after reading. Of another one, `clock.json` is written and listed
 * once a minute.
 */
export function createStoreClock(
  access: EnvironmentAccess,
  clock: Pick<Clock, 'now'>,
): () => Promise<number> {
  let asked: { readonly at: number; readonly offsetMs: number } | null = null
  return async () => {
    const before = clock.now()
    const offsetMs = access.store.clockOffsetMs?.() ?? null
    if (offsetMs !== null) return before + offsetMs
    if (asked !== null && before >= asked.at && before - asked.at < askedEveryMs) {
      return before + asked.offsetMs
    }
    const stored = await askStore(access)
    const at = clock.now()
    asked = { at, offsetMs: stored - at }
    return stored
  }
}

async function askStore({ store, environment, signal }: EnvironmentAccess): Promise<number> {
  const key = `environments/${environment}/clock.json`
  await store.put(key, new TextEncoder().encode('{}'), { signal })
  for await (const object of store.list(key, { signal })) {
    if (object.key === key) return object.modifiedAt
  }
  throw new PipelineError(
    'STORE_IGNORES_CONDITIONS',
    `${store.location} does not list ${key}, which was just written: it is not strongly consistent. Use another store; needle doctor looks at it`,
  )
}
