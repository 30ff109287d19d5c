import type { Clock } from '../clock.ts'
import type { InstanceReport } from '../manifest/instance-report.ts'
import { objectKey } from '../manifest/object-key.ts'
import type { ArtifactStore } from '../store/artifact-store.ts'

/** How often an instance reports while nothing changes, and while it measures a rollout. */
export const reportIntervalMs = { usual: 60_000, rollout: 10_000 }

/** How long closing waits for a store that does not take the last report. */
const lastReportMs = 2_000

export interface InstanceReporter {
  start(): void
  /** Reports at once; what changes while a report is on its way goes into the next. */
  changed(): void
  /** Writes a last report that says `stopped`, so that nobody waits for this instance; then no more. */
  close(): Promise<void>
}

/**
 * Writes what this instance runs to the store, at once on change, else every minute, or every ten seconds while it
 * measures a rollout. Best effort:
 * a store that refuses is told to `onFailure` and asked again a minute later.
 */
export function createInstanceReporter(options: {
  readonly store: ArtifactStore
  readonly clock: Clock
  readonly read: () => Promise<InstanceReport>
  readonly onFailure: (error: unknown) => void
}): InstanceReporter {
  const { store, clock, read, onFailure } = options
  const closing = new AbortController()
  let wake = new AbortController()
  let running: Promise<void> = Promise.resolve()

  const report = async (document: InstanceReport, signal: AbortSignal): Promise<void> => {
    const key = objectKey.instance(document.environment, document.instance)
    try {
      await store.put(key, Buffer.from(JSON.stringify(document)), { signal })
    } catch (error) {
      if (!signal.aborted) onFailure(error)
    }
  }

  const reportStopped = async (): Promise<void> => {
    const overdue = new AbortController()
    const written = new AbortController()
    await Promise.race([
      read().then((document) => report({ ...document, stopped: true }, overdue.signal)),
      clock.sleep(lastReportMs, written.signal).then(() => overdue.abort()),
    ])
    written.abort()
  }

  const run = async (): Promise<void> => {
    while (!closing.signal.aborted) {
      wake = new AbortController()
      const document = await read()
      await report(document, closing.signal)
      // Before its first call nothing was measured of a canary, and a minute later it is long judged.
      const isMeasuring = Object.values(document.functions).some(
        ({ canary, rollout }) => canary !== null || rollout != null,
      )
      const pauseMs = isMeasuring ? reportIntervalMs.rollout : reportIntervalMs.usual
      await clock.sleep(pauseMs, AbortSignal.any([wake.signal, closing.signal]))
    }
  }

  return {
    start: () => {
      running = run()
    },
    changed: () => wake.abort(),
    close: async () => {
      closing.abort()
      // The one on its way may still arrive, so the last word waits for it.
      await running
      await reportStopped()
    },
  }
}
