import { assertNotLost } from '../environment-state/assert-not-lost.ts'
import { type Decision, readDecisions } from '../environment-state/decisions.ts'
import { type HistoryState, readHistoryStates } from '../environment-state/history-states.ts'
import { headOf, type ManifestHead } from '../environment-state/manifest-head.ts'
import { readReportReadings } from '../environment-state/instance-reports.ts'
import type { EnvironmentAccess } from '../environment-state/read-environment.ts'
import { PipelineError } from '../errors.ts'
import { listNearest } from '../functions/near-names.ts'
import { toFunctionStates } from '../plan/function-states.ts'
import { changesOf, type Difference } from '../plan/explain-change.ts'
import { counted } from './counted.ts'
import { type CommandIo, finish } from './command.ts'
import { withSession } from './environment-session.ts'
import { formatDecision } from './format-decision.ts'
import type { HistoryOptions } from './history.ts'
import { parseLimit } from './parse-limit.ts'

/**
 * The implementation of `needle history`.
 *
 * @throws PipelineError `FUNCTION_UNKNOWN` when no manifest it looks at has a function of that name;
 *   RuntimeError `MANIFEST_MISSING` when all manifests are gone
 */
export async function runHistory(
  io: CommandIo,
  options: HistoryOptions,
  functionName: string | null,
): Promise<void> {
  const limit = parseLimit(options.limit)
  const entries = await withSession(io, options, ({ access }) =>
    readEntries(access, limit, functionName),
  )
  finish(io, options, {
    text: entries.map(formatEntry).join('\n') || nothingFound(options, functionName),
    json: entries,
  })
}

function nothingFound({ environment, limit }: HistoryOptions, functionName: string | null): string {
  if (functionName === null) return `Nothing was ever published to ${environment}`
  return `No change of ${functionName} in the newest ${counted(Number(limit), 'manifest')} of ${environment}. needle status lists its functions; --limit looks further back`
}

/** `fault` says why an entry cannot be read any more. */
interface Entry extends ManifestHead {
  /** Null when what the manifests name was pruned or is damaged. */
  readonly changes: readonly Difference[] | null
  /** Those of its changes that measurements decided, with their evidence. */
  readonly decisions: readonly Decision[]
}

async function readEntries(
  access: EnvironmentAccess,
  limit: number,
  functionName: string | null,
): Promise<readonly Entry[]> {
  const { environment } = access
  const read = await readHistoryStates(access, limit + 1)
  if (read.length === 0) {
    assertNotLost({ environment, newest: null }, await readReportReadings(access))
  }
  if (functionName !== null) assertKnown(functionName, environment, read)
  const isAsked = (each: { readonly function: string | null }): boolean =>
    functionName === null || each.function === functionName
  const entries = read.slice(0, limit).map((current, index): Entry => {
    const { manifest } = current
    return Object.assign(headOf(current), {
      changes: changesOf(current, read[index + 1])?.filter(isAsked) ?? null,
      decisions: manifest === null ? [] : readDecisions(manifest).filter(isAsked),
    })
  })
  return functionName === null ? entries : entries.filter((entry) => entry.changes?.length !== 0)
}

/** What was never there has no history, which is something else than one without a change lately. */
function assertKnown(name: string, environment: string, read: readonly HistoryState[]): void {
  const known = new Set(
    read.flatMap(({ state }) => [...toFunctionStates(state?.groups ?? {}).keys()]),
  )
  if (known.has(name)) return
  throw new PipelineError(
    'FUNCTION_UNKNOWN',
    `No function ${name} in the newest ${counted(read.length, 'manifest')} of ${environment}. There are: ${listNearest(name, known)}. --limit looks further back, --environment elsewhere`,
    { details: { function: name } },
  )
}

function formatEntry(entry: Entry): string {
  if (entry.fault !== null) return `${entry.version}  ${entry.fault}`
  const head = `${entry.version}  ${entry.issuedAt}  ${entry.actor}: ${entry.reason}`
  const commit = entry.commit === null ? [] : [`    commit ${entry.commit.slice(0, 12)}`]
  const changes = entry.changes?.map((change) => `    ${change.function}  ${change.text}`)
  return [
    head,
    ...commit,
    ...(changes ?? ['    (its details were pruned, or are damaged: needle doctor)']),
    ...entry.decisions.map((decision) => `    ${formatDecision(decision)}`),
  ].join('\n')
}
