import { findQuarantined, shortDigest } from '@needle-faas/runtime/manifest'
import { createVerifiedReader, isRuntimeError } from '@needle-faas/runtime/store'
import pLimit from 'p-limit'
import { readDecisions } from '../environment-state/decisions.ts'
import type { EnvironmentState } from '../environment-state/environment-state.ts'
import { type FleetInstance, toFleet } from '../environment-state/fleet.ts'
import { type HistoryState, readHistoryStates } from '../environment-state/history-states.ts'
import { readReportReadings } from '../environment-state/instance-reports.ts'
import type { EnvironmentAccess } from '../environment-state/read-environment.ts'
import type { GitRepository } from '../git/git-repository.ts'
import { findPeople, type PullRequestPeople } from '../github/pull-request-people.ts'
import { changesOf } from '../plan/explain-change.ts'
import { toFunctionStates } from '../plan/function-states.ts'
import { findSubject, knownReleases } from './find-subject.ts'
import { tellRelease, type TracedRelease } from './release-story.ts'
import type {
  FunctionTrace,
  ManifestTrace,
  ReleaseNow,
  ReleaseOrigin,
  ReleaseTrace,
  ServingInstance,
  Trace,
  TracedManifest,
} from './trace.ts'

export interface TraceQuestion {
  readonly access: EnvironmentAccess
  /** What `findSubject` understands. */
  readonly typed: string
  /** How many manifests back it looks. */
  readonly limit: number
  /** A clone that may have the commits; null without one. */
  readonly git: GitRepository | null
  readonly env: Readonly<Record<string, string | undefined>>
  /** Epoch milliseconds. */
  readonly now: number
}

/**
 * Follows what somebody typed to the code, the people, the manifests and the instances behind it.
 *
 * @throws PipelineError as `findSubject`; RuntimeError `STORE_*`
 */
export async function readTrace(question: TraceQuestion): Promise<Trace> {
  const { access, typed, limit, now } = question
  const [history, readings] = await Promise.all([
    readHistoryStates(access, limit + 1),
    readReportReadings(access),
  ])
  const subject = findSubject(typed, access.environment, history.slice(0, limit))
  const newest = history.find(({ manifest }) => manifest !== null)?.manifest?.manifest
  const fleet = newest === undefined ? [] : toFleet(newest, readings, now)
  const serving = (name: string): readonly ServingInstance[] =>
    fleet.flatMap(({ instance, state, version }) => {
      const told = readings.find((each) => each.instance === instance)?.report.functions[name]
      if (told === undefined) return []
      const { stable, canary, weightPercent, stopped } = told
      return [{ instance, state, version, stable, canary, weightPercent, stopped }]
    })
  const facts: Facts = { question, history, fleet, serving }
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

interface Facts {
  readonly question: TraceQuestion
  /** Newest first, one more than is told. */
  readonly history: readonly HistoryState[]
  readonly fleet: readonly FleetInstance[]
  readonly serving: (functionName: string) => readonly ServingInstance[]
}

async function traceRelease(traced: TracedRelease, facts: Facts): Promise<ReleaseTrace> {
  const { question, history } = facts
  const [origin] = await readOrigins([traced], question)
  if (origin === undefined) throw new TypeError('a release without its origin')
  const manifests = tellHistory(facts, (current, before) =>
    current.state === null || before?.state === null
      ? null
      : tellRelease(traced, before?.state ?? null, current.state),
  )
  return {
    kind: 'release',
    environment: question.access.environment,
    origin,
    now: releaseNow(traced, newestState(history), facts.serving(traced.function)),
    history: concerned(manifests, traced.function),
    unknown: unknownOf([origin], manifests, facts),
  }
}

async function traceFunction(name: string, facts: Facts): Promise<FunctionTrace> {
  const { question, history } = facts
  const state = newestState(history)
  const told = history.slice(0, question.limit)
  const releases = await readOrigins(
    knownReleases(told).filter((release) => release.function === name),
    question,
  )
  const manifests = tellHistory(
    facts,
    (current, before) =>
      changesOf(current, before)?.filter((change) => change.function === name) ?? null,
  )
  return {
    kind: 'function',
    environment: question.access.environment,
    function: name,
    state: toFunctionStates(state?.groups ?? {}).get(name) ?? null,
    quarantine: (state?.quarantine ?? []).filter((entry) => entry.function === name),
    instances: facts.serving(name),
    releases,
    history: concerned(manifests, name),
    unknown: unknownOf(releases, manifests, facts),
  }
}

function traceManifest(version: number, facts: Facts): ManifestTrace {
  const { question, history, fleet } = facts
  const index = history.findIndex((entry) => entry.version === version)
  const current = history[index]
  if (current === undefined) throw new TypeError(`manifest ${version} is not in the history`)
  const manifest = toTraced(current, changesOf(current, history[index + 1]))
  return {
    kind: 'manifest',
    environment: question.access.environment,
    isNewest: index === 0,
    manifest,
    expiresAt: current.manifest?.manifest.expiresAt ?? null,
    instances: fleet.filter((instance) => instance.version === version),
    unknown: unknownOf([], [manifest], { ...facts, history: [] }),
  }
}

function newestState(history: readonly HistoryState[]): EnvironmentState | null {
  return history.find(({ state }) => state !== null)?.state ?? null
}

function releaseNow(
  { function: name, ref }: TracedRelease,
  state: EnvironmentState | null,
  instances: readonly ServingInstance[],
): ReleaseNow {
  const desired = toFunctionStates(state?.groups ?? {}).get(name)
  const isStable = desired?.stable.release === ref.release
  const isCanary = desired?.rollout?.canary.release === ref.release
  const isPrevious = desired?.previous.some(({ release }) => release === ref.release) === true
  const canaryPercent = desired?.rollout?.weightPercent ?? 0
  return {
    serves: isStable ? 'stable' : isCanary ? 'canary' : isPrevious ? 'previous' : 'nothing',
    weightPercent: isStable ? 100 - canaryPercent : isCanary ? canaryPercent : 0,
    hold: desired?.hold ?? null,
    quarantine: findQuarantined(state?.quarantine ?? [], name, ref) ?? null,
    instances: instances.filter(
      ({ stable, canary }) => stable === ref.release || canary === ref.release,
    ),
  }
}

function tellHistory<Event>(
  { question, history }: Facts,
  tell: (current: HistoryState, before: HistoryState | undefined) => readonly Event[] | null,
): readonly TracedManifest<Event>[] {
  return history
    .slice(0, question.limit)
    .map((current, index) => toTraced(current, tell(current, history[index + 1])))
}

function toTraced<Event>(
  { version, manifest, fault }: HistoryState,
  events: readonly Event[] | null,
): TracedManifest<Event> {
  const signed = manifest?.manifest
  return {
    version,
    issuedAt: signed?.issuedAt ?? null,
    actor: signed?.actor ?? null,
    reason: signed?.reason ?? null,
    commit: signed?.commit ?? null,
    fault,
    events,
    decisions: manifest === null ? [] : readDecisions(manifest),
  }
}

/** Those that did something, with the decisions about this function only. */
function concerned<Event>(
  manifests: readonly TracedManifest<Event>[],
  functionName: string,
): readonly TracedManifest<Event>[] {
  return manifests
    .filter(({ events }) => events !== null && events.length > 0)
    .map((manifest) =>
      Object.assign({}, manifest, {
        decisions: manifest.decisions.filter((each) => each.function === functionName),
      }),
    )
}

async function readOrigins(
  releases: readonly TracedRelease[],
  question: TraceQuestion,
): Promise<readonly ReleaseOrigin[]> {
  const people = new Map<string, Promise<PullRequestPeople | null>>()
  const limit = pLimit(8)
  return Promise.all(releases.map((release) => limit(() => readOrigin(release, question, people))))
}

async function readOrigin(
  { function: name, ref }: TracedRelease,
  { access, git, env }: TraceQuestion,
  people: Map<string, Promise<PullRequestPeople | null>>,
): Promise<ReleaseOrigin> {
  const read = await createVerifiedReader(access)
    .release(ref, name, { signal: access.signal })
    .catch((error: unknown) => {
      if (!isRuntimeError(error) || error.code.startsWith('STORE_')) throw error
      return `${error.code}: ${error.message}`
    })
  const release = typeof read === 'string' ? null : read.document
  const provenance = release?.provenance ?? null
  const { pullRequest, repository, commit } = provenance ?? {}
  const ask = (): Promise<PullRequestPeople | null> => {
    if (pullRequest == null) return Promise.resolve(null)
    const key = `${repository} ${pullRequest}`
    const asked =
      people.get(key) ??
      findPeople({ repository: repository ?? null, pullRequest, env, signal: access.signal })
    people.set(key, asked)
    return asked
  }
  const [found, subject] = await Promise.all([
    ask(),
    // A clone without the commit knows nothing of it, which is told as such.
    commit === undefined ? null : (git?.commit(commit).then(toSubject, () => null) ?? null),
  ])
  return {
    revision: `${name}@${shortDigest(ref.release)}`,
    function: name,
    ref,
    provenance,
    builtAt: release?.builtAt ?? null,
    contract: release?.contract ?? null,
    fault: typeof read === 'string' ? read : null,
    subject,
    people: found,
  }
}

function toSubject(commit: { readonly subject: string }): string {
  return commit.subject
}

function unknownOf(
  origins: readonly ReleaseOrigin[],
  manifests: readonly TracedManifest<unknown>[],
  { question, history }: Facts,
): readonly string[] {
  const { git, env, limit } = question
  const hasSubject = origins.every(({ subject, provenance }) => subject !== null || !provenance)
  const asks = origins.some(
    ({ provenance, people }) => provenance?.pullRequest != null && people === null,
  )
  const lost = manifests.filter(({ events }) => events === null).length
  return [
    ...(hasSubject
      ? []
      : [
          git === null
            ? 'What commits say: not in a Git repository'
            : 'What some commits say: this clone does not have them (git fetch origin)',
        ]),
    ...(asks
      ? [
          env['GITHUB_TOKEN']
            ? 'Who approved the pull request: GitHub did not tell'
            : 'Who approved the pull request: set GITHUB_TOKEN',
        ]
      : []),
    ...(lost === 0 ? [] : [`What ${lost} of the manifests changed: pruned or damaged`]),
    ...(history.length > limit ? [`What came before the newest ${limit} manifests: --limit`] : []),
  ]
}
