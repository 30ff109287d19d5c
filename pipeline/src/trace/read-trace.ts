import { assertNotLost } from '../environment-state/assert-not-lost.ts'
import { toFleet } from '../environment-state/fleet.ts'
import { readHistoryStates } from '../environment-state/history-states.ts'
import { readReportReadings } from '../environment-state/instance-reports.ts'
import { storeTime } from '../environment-state/store-time.ts'
import type { Facts, TraceQuestion } from './facts.ts'
import { findSubject } from './find-subject.ts'
import { servingInstances } from './serving-instance.ts'
import type { Trace } from './trace.ts'
import { traceFunction } from './trace-function.ts'
import { traceManifest } from './trace-manifest.ts'
import { traceRelease } from './trace-release.ts'

/**
 * Follows what somebody typed to the code, the people, the manifests and the instances behind it.
 *
 * @throws PipelineError as `findSubject`; RuntimeError `STORE_*`, `MANIFEST_MISSING`
 */
export async function readTrace(question: TraceQuestion): Promise<Trace> {
  const { access, typed, limit, now } = question
  const [history, readings] = await Promise.all([
    readHistoryStates(access, limit + 1),
    readReportReadings(access),
  ])
  const { environment } = access
  if (history.length === 0) assertNotLost({ environment, newest: null }, readings)
  const subject = findSubject(typed, environment, history.slice(0, limit))
  const newest = history.find(({ manifest }) => manifest !== null)?.manifest?.manifest
  const fleet = newest === undefined ? [] : toFleet(newest, readings, storeTime(access.store, now))
  const facts: Facts = {
    question,
    history,
    fleet,
    serving: (name) => servingInstances(name, fleet, readings),
  }
  switch (subject.kind) {
    case 'release':
      return traceRelease(subject, facts)
    case 'function':
      return traceFunction(subject.function, facts)
    case 'manifest':
      return traceManifest(subject.version, facts)
    default:
      return subject satisfies never
  }
}
