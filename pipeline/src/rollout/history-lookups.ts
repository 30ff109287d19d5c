import { type Digest, objectKey } from '@needle-faas/runtime/manifest'
import { isRuntimeError } from '@needle-faas/runtime/store'
import type { EnvironmentState } from '../environment-state/environment-state.ts'
import type { ReportReading } from '../environment-state/instance-reports.ts'
import { type EnvironmentAccess, readHistoryEntry } from '../environment-state/read-environment.ts'

/** How many different versions are looked up in the history for one round's reports. */
const versionsLookedUp = 50

/** Digests of the manifests that reports name, by version; one that is not there is missing. */
export function createHistoryDigests(
  access: EnvironmentAccess,
): (
  state: EnvironmentState,
  readings: readonly ReportReading[],
) => Promise<ReadonlyMap<number, Digest>> {
  const known = new Map<number, Digest>()
  return async ({ newest }, readings) => {
    if (newest !== null) known.set(newest.manifest.version, newest.digest)
    const at = newest?.manifest.version ?? 0
    const named = new Set(readings.flatMap(({ report }) => report.manifest?.version ?? []))
    const unknown = [...named]
      .filter((version) => version > 0 && !known.has(version))
      // Those that are plausible first, or invented ones could keep them from being looked up.
      .toSorted((a, b) => Math.abs(a - at) - Math.abs(b - at))
      .slice(0, versionsLookedUp)
    await Promise.all(
      unknown.map(async (version) => {
        const entry = await readHistoryEntry(access, version).catch((error: unknown) => {
          // An entry that does not verify confirms nobody's report.
          if (isRuntimeError(error) && !error.code.startsWith('STORE_')) return null
          throw error
        })
        if (entry !== null) known.set(version, entry.digest)
      }),
    )
    return known
  }
}

/** When a version was written, by the clock of the store; null when its entry is gone. */
export function createWriteTimes({
  store,
  environment,
  signal,
}: EnvironmentAccess): (version: number | undefined) => Promise<number | null> {
  const ask = async (version: number): Promise<number | null> => {
    const key = objectKey.history(environment, version)
    for await (const object of store.list(key, { signal })) {
      if (object.key === key) return object.modifiedAt
    }
    return null
  }
  // Many functions share a version: each is asked about once.
  const asked = new Map<number, Promise<number | null>>()
  return async (version) => {
    if (version === undefined) return null
    const asking = asked.get(version) ?? ask(version)
    asked.set(version, asking)
    try {
      return await asking
    } catch (error) {
      asked.delete(version)
      throw error
    }
  }
}
