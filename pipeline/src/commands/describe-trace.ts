import {
  type Digest,
  type Hold,
  type QuarantineEntry,
  shortDigest,
} from '@needle-faas/runtime/manifest'
import type { Decision } from '../environment-state/decisions.ts'
import { pairName } from '../plan/pair.ts'
import type { ReleaseOrigin } from '../trace/release-origin.ts'
import type { ServingInstance } from '../trace/serving-instance.ts'
import type {
  FunctionTrace,
  ManifestTrace,
  ReleaseNow,
  ReleaseTrace,
  Trace,
} from '../trace/trace.ts'
import type { TracedManifest } from '../trace/traced-manifest.ts'
import { formatDecision } from './format-decision.ts'
import { formatTable } from './table.ts'

/** How many instances are named before the rest is counted. */
const instancesNamed = 8

/** A trace for people. */
export function describeTrace(trace: Trace): string {
  const parts = partsOf(trace)
  const unknown = trace.unknown.map((text) => `  ${text}`)
  const blocks = unknown.length === 0 ? parts : [...parts, ['Not known', ...unknown]]
  return blocks.map((lines) => lines.join('\n')).join('\n\n')
}

type Block = readonly string[]

function partsOf(trace: Trace): readonly Block[] {
  switch (trace.kind) {
    case 'release':
      return describeRelease(trace)
    case 'function':
      return describeFunction(trace)
    case 'manifest':
      return describeManifest(trace)
    default:
      return trace satisfies never
  }
}

function describeRelease({ environment, origin, now, history }: ReleaseTrace): readonly Block[] {
  return [
    [origin.revision, rowsOf([...originRows(origin), ...nowRows(now, origin.ref.release)])],
    historyBlock(environment, history, ({ text }) => text),
  ]
}

function describeFunction(trace: FunctionTrace): readonly Block[] {
  const { state, environment, quarantine, instances, releases, history } = trace
  const rows =
    state === null
      ? [['now', `${environment} does not have it any more`]]
      : [
          ['stable', shortDigest(state.stable.release)],
          ...(state.rollout === null
            ? []
            : [
                [
                  'canary',
                  `${shortDigest(state.rollout.canary.release)} at ${state.rollout.weightPercent} %`,
                ],
              ]),
          ...holdRows(state.hold),
          ...(instances.length === 0 ? [] : [['instances', nameServing(instances)]]),
        ]
  return [
    [trace.function, rowsOf([...rows, ...quarantine.flatMap(quarantineRows)])],
    [
      'Releases, newest first',
      formatTable(
        releases.map(({ ref, provenance, people, subject, fault }) => [
          `  ${shortDigest(ref.release)}`,
          provenance === null ? (fault ?? 'unknown') : provenance.commit.slice(0, 12),
          provenance?.author ?? '',
          provenance?.pullRequest == null ? '' : `#${provenance.pullRequest}`,
          people?.title ?? subject ?? '',
        ]),
      ),
    ],
    historyBlock(environment, history, ({ text }) => text),
  ]
}

function describeManifest(trace: ManifestTrace): readonly Block[] {
  const { environment, manifest, isNewest, expiresAt, instances } = trace
  const { version, fault, issuedAt, actor, reason, commit, events, decisions } = manifest
  const head = `${environment} version ${version}${isNewest ? ', the newest' : ''}`
  if (fault !== null) return [[head, rowsOf([['refused', fault]])]]
  return [
    [
      head,
      rowsOf([
        ['signed', `${issuedAt} by ${actor}: ${reason}`],
        ['commit', commit ?? 'none'],
        ['expires', expiresAt ?? ''],
        [
          'instances',
          instances.length === 0 ? 'none runs it' : nameAll(instances.map((each) => each.instance)),
        ],
      ]),
    ],
    [
      'Changes',
      ...(events ?? []).map((change) => `  ${change.function}  ${change.text}`),
      ...(events === null ? ['  unknown'] : events.length === 0 ? ['  none'] : []),
      ...decisions.map((decision) => `  ${formatDecision(decision)}`),
    ],
  ]
}

function originRows({
  ref,
  provenance,
  builtAt,
  fault,
  subject,
  people,
}: ReleaseOrigin): string[][] {
  const digests = [
    ['release', ref.release],
    ['artifact', `${ref.artifact} (pair ${pairName(ref)})`],
  ]
  if (provenance === null) return [...digests, ['origin', fault ?? 'unknown']]
  const { commit, author, committedAt, pullRequest, build, repository } = provenance
  return [
    ...digests,
    ['commit', [commit, ...(subject === null ? [] : [`"${subject}"`])].join(' ')],
    ['author', `${author}, ${committedAt}`],
    ...(repository === null ? [] : [['repository', repository]]),
    [
      'pull request',
      pullRequest === null
        ? 'none known'
        : people === null
          ? `#${pullRequest}`
          : `#${pullRequest} "${people.title}" ${people.url}`,
    ],
    ...(people === null
      ? []
      : [
          ['approved by', people.approvers.join(', ') || 'nobody'],
          ...(people.mergedBy === null ? [] : [['merged by', people.mergedBy]]),
        ]),
    ['built', [...(builtAt === null ? [] : [builtAt]), build ?? 'by hand'].join(', ')],
  ]
}

function nowRows(now: ReleaseNow, release: Digest): string[][] {
  const texts: Record<ReleaseNow['serves'], string> = {
    stable: now.weightPercent === 100 ? 'serves all' : `stable, serves ${now.weightPercent} %`,
    canary: `canary, serves ${now.weightPercent} %`,
    previous: 'serves nobody, kept warm to go back to',
    nothing: 'serves nobody',
  }
  const concernsHold = now.serves === 'stable' || now.serves === 'canary'
  const { instances } = now
  return [
    ['now', texts[now.serves]],
    ...(concernsHold ? holdRows(now.hold) : []),
    ...(now.quarantine === null ? [] : quarantineRows(now.quarantine)),
    ['instances', instances.length === 0 ? 'none reports it' : nameServing(instances, release)],
  ]
}

function holdRows(hold: Hold | null): string[][] {
  if (hold === null) return []
  const { mode, by, since, until, reason, covers } = hold
  const text = `by ${by} since ${since}${until === null ? '' : `, until ${until}`}: ${reason}`
  if (mode === 'revision') return [['held', text]]
  return [
    ['STOPPED', text],
    ...holdRows(covers ?? null).map(([, below]) => ['then held', `once resumed, ${below}`]),
  ]
}

function quarantineRows(entry: QuarantineEntry): string[][] {
  return [
    ['quarantined', `${pairName(entry)} by ${entry.by} since ${entry.since}: ${entry.reason}`],
  ]
}

function nameServing(instances: readonly ServingInstance[], release?: Digest): string {
  return nameAll(
    instances.map(({ instance, state, stopped, canary }) => {
      const notes = [
        ...(release !== undefined && canary === release ? ['canary'] : []),
        ...(stopped ? ['stopped'] : []),
        ...(state === 'current' ? [] : [state === 'silent' ? 'silent' : 'LAGS']),
      ]
      return notes.length === 0 ? instance : `${instance} (${notes.join(', ')})`
    }),
  )
}

function nameAll(names: readonly string[]): string {
  const rest = names.length - instancesNamed
  return `${names.slice(0, instancesNamed).join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`
}

function historyBlock<Event>(
  environment: string,
  manifests: readonly TracedManifest<Event>[],
  format: (event: Event) => string,
): Block {
  return [
    `History in ${environment}, newest first`,
    ...manifests.flatMap(({ version, issuedAt, actor, reason, commit, events, decisions }) => [
      `  ${version}  ${issuedAt}  ${actor}: ${reason}${commit === null ? '' : ` (commit ${commit.slice(0, 12)})`}`,
      ...(events ?? []).map((event) => `      ${format(event)}`),
      ...decisions.map((decision: Decision) => `      ${formatDecision(decision)}`),
    ]),
    ...(manifests.length === 0 ? ['  nothing'] : []),
  ]
}

function rowsOf(rows: readonly (readonly string[])[]): string {
  return formatTable(rows.map(([name = '', text = '']) => [`  ${name}`, text]))
}
