import {
  type InstanceReport,
  objectKey,
  type ReportedFunction,
  type Rollout,
} from '@needle-faas/runtime/manifest'
import type { ListedObject } from '@needle-faas/runtime/store'
import { readReportReadings } from '../environment-state/instance-reports.ts'
import { type EnvironmentAccess, readEnvironment } from '../environment-state/read-environment.ts'
import { toFunctionStates } from '../plan/function-states.ts'

export interface OldReports {
  /** Reports of instances that were silent, or have been stopped, for longer. */
  readonly old: readonly ListedObject[]
  /** How many stay. */
  readonly kept: number
}

/**
 * The reports of an environment that were not written again since `silentSince` (epoch milliseconds,
 * by the clock of the store), but for those that a running rollout goes by: an instance that ran its
 * canary, or found it bad, is heard for as long as it goes on.
 */
export async function findOldReports(
  access: EnvironmentAccess,
  silentSince: number,
): Promise<OldReports> {
  const { store, environment, signal } = access
  const old: ListedObject[] = []
  let kept = 0
  const prefix = objectKey.instancePrefix(environment)
  for await (const object of store.list(prefix, { signal })) {
    if (object.modifiedAt < silentSince) old.push(object)
    else kept++
  }
  if (old.length === 0) return { old, kept }

  const { state } = await readEnvironment(access)
  const running = [...toFunctionStates(state.groups)].flatMap(([name, { rollout }]) =>
    rollout === null ? [] : [{ name, rollout }],
  )
  if (running.length === 0) return { old, kept }
  const needed = new Set<string>()
  for (const { instance, report } of await readReportReadings(access)) {
    const isNeeded = running.some(({ name, rollout }) => speaksOf(report, name, rollout))
    if (isNeeded) needed.add(objectKey.instance(environment, instance))
  }
  const unneeded = old.filter(({ key }) => !needed.has(key))
  return { old: unneeded, kept: kept + old.length - unneeded.length }
}

/** Whether it names the canary at all: as what it ran, measured or refused. */
function speaksOf({ functions }: InstanceReport, name: string, { canary }: Rollout): boolean {
  const own: ReportedFunction | undefined = functions[name]
  if (own === undefined) return false
  const named = [own.canary, own.rollout?.canary, ...own.refusals.map(({ release }) => release)]
  return named.includes(canary.release)
}
