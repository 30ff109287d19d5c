import { matchesGlob } from 'node:path'
import type { EventsConfig } from '@actions/workflow-parser/model/workflow-template'
import type { WorkflowEvent } from './event.ts'

/** Whether `on:` of a workflow asks for this event. Filters that are not played here are errors, not guesses. */
export function isTriggered(on: EventsConfig, event: WorkflowEvent): boolean {
  const asked = on[event.name]
  if (asked === undefined) return false
  if (event.name !== 'push' && event.name !== 'pull_request') return true
  const { branches, ...others } = on[event.name] ?? {}
  const unknown = Object.keys(others)
  if (unknown.length > 0) throw new Error(`on.${event.name}.${unknown[0]} is not played here`)
  const branch = event.name === 'push' ? branchOf(event.ref) : event.baseRef
  return branches?.some((pattern) => matchesBranch(branch, pattern)) ?? true
}

function branchOf(ref: string): string {
  return ref.replace(/^refs\/heads\//, '')
}

function matchesBranch(branch: string, pattern: string): boolean {
  if (/[!?+[\]{}]/.test(pattern)) throw new Error(`branch pattern "${pattern}" is not played here`)
  return matchesGlob(branch, pattern)
}
