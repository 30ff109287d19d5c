import { matchesGlob } from 'node:path'
import type { EventsConfig } from '@actions/workflow-parser/model/workflow-template'
import type { WorkflowEvent } from './event.ts'

/** Whether `on:` of a workflow asks for this event. Filters that are not played here are errors, not guesses. */
export function isTriggered(on: EventsConfig, event: WorkflowEvent): boolean {
  const asked = on[event.name]
  if (asked === undefined) return false
  if (event.name === 'workflow_run') return isTriggeredByRun(on.workflow_run ?? {}, event)
  if (event.name !== 'push' && event.name !== 'pull_request') return true
  const { branches, ...others } = on[event.name] ?? {}
  const unknown = Object.keys(others)
  if (unknown.length > 0) throw new Error(`on.${event.name}.${unknown[0]} is not played here`)
  const branch = event.name === 'push' ? branchOf(event.ref) : event.baseRef
  return branches?.some((pattern) => matchesBranch(branch, pattern)) ?? true
}

/** GitHub goes by the name of the other workflow, not by its file, and by the branch of its run. */
function isTriggeredByRun(
  { workflows, types, branches, ...others }: NonNullable<EventsConfig['workflow_run']>,
  { payload }: WorkflowEvent,
): boolean {
  const [unknown] = Object.keys(others)
  if (unknown !== undefined) throw new Error(`on.workflow_run.${unknown} is not played here`)
  const { action, workflow_run: run } = payload
  if (typeof action !== 'string' || typeof run !== 'object' || run === null) return false
  if (!('name' in run) || !('head_branch' in run)) return false
  const [name, branch] = [String(run.name), String(run.head_branch)]
  return (
    (workflows?.includes(name) ?? false) &&
    (types?.includes(action) ?? true) &&
    (branches?.some((pattern) => matchesBranch(branch, pattern)) ?? true)
  )
}

function branchOf(ref: string): string {
  return ref.replace(/^refs\/heads\//, '')
}

function matchesBranch(branch: string, pattern: string): boolean {
  if (/[!?+[\]{}]/.test(pattern)) throw new Error(`branch pattern "${pattern}" is not played here`)
  return matchesGlob(branch, pattern)
}
