import type { EnvironmentState } from '../environment-state/environment-state.ts'
import {
  type EnvironmentAccess,
  listHistory,
  readHistoryEntry,
  readState,
} from '../environment-state/read-environment.ts'
import { isRuntimeError } from '@needle-faas/runtime/store'
import { PipelineError } from '../errors.ts'
import { type Difference, explainChange } from '../plan/explain-change.ts'
import { counted } from './counted.ts'
import { type CommandIo, finish } from './command.ts'
import { withSession } from './environment-session.ts'
import type { HistoryOptions } from './history.ts'

/** The implementation of `needle history`. */
export async function runHistory(
  io: CommandIo,
  options: HistoryOptions,
  functionName: string | null,
): Promise<void> {
  const limit = Number(options.limit)
  if (!Number.isInteger(limit) || limit < 1) {
    throw new PipelineError(
      'USAGE_INVALID',
      `--limit takes a whole number from 1, not "${options.limit}"`,
    )
  }
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

interface Entry {
  readonly version: number
  /** Null when the entry cannot be read any more; `fault` says why. */
  readonly issuedAt: string | null
  readonly actor: string | null
  readonly reason: string | null
  readonly commit: string | null
  readonly fault: string | null
  /** Null when what the manifests name was pruned or is damaged. */
  readonly changes: readonly Difference[] | null
}

async function readEntries(
  access: EnvironmentAccess,
  limit: number,
  functionName: string | null,
): Promise<readonly Entry[]> {
  const versions = (await listHistory(access)).slice(0, limit + 1)
  const read = await Promise.all(versions.map((version) => readOne(access, version)))
  const entries = read.slice(0, limit).map((current, index): Entry => {
    const before = read[index + 1]
    const isFirst = before === undefined
    const { version, state, fault } = current
    const manifest = state?.newest?.manifest
    const changes =
      state?.hasObjects && (isFirst || before.state?.hasObjects)
        ? explainChange(isFirst ? null : (before.state ?? null), state)
        : null
    return {
      version,
      issuedAt: manifest?.issuedAt ?? null,
      actor: manifest?.actor ?? null,
      reason: manifest?.reason ?? null,
      commit: manifest?.commit ?? null,
      fault,
      changes:
        changes?.filter((change) => functionName === null || change.function === functionName) ??
        null,
    }
  })
  return functionName === null ? entries : entries.filter((entry) => entry.changes?.length !== 0)
}

interface ReadOne {
  readonly version: number
  readonly state: (EnvironmentState & { readonly hasObjects: boolean }) | null
  readonly fault: string | null
}

/** An entry that no longer verifies or whose objects were pruned is still listed. */
async function readOne(access: EnvironmentAccess, version: number): Promise<ReadOne> {
  try {
    const newest = await readHistoryEntry(access, version)
    if (newest === null) return { version, state: null, fault: 'it disappeared meanwhile' }
    const state = await readState(access, newest).catch(toFault)
    if (typeof state !== 'string') {
      return { version, state: { ...state, hasObjects: true }, fault: null }
    }
    const { environment } = access
    const empty = { environment, newest, groups: {}, quarantine: [], hasObjects: false }
    return { version, state: empty, fault: null }
  } catch (error) {
    return { version, state: null, fault: toFault(error) }
  }
}

function toFault(error: unknown): string {
  if (!isRuntimeError(error) || error.code.startsWith('STORE_')) throw error
  return `${error.code}: ${error.message}`
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
  ].join('\n')
}
