import type { FunctionState } from '../manifest/group-document.ts'
import type { DesiredState } from './desired-state.ts'
import type { Serving } from './serving.ts'

/** Whether calls of any function are taken. */
export function servesAnything({ slots }: Serving): boolean {
  for (const { stable } of slots.values()) if (stable !== null) return true
  return false
}

/**
 * Whether an instance does what is wanted of it at least somewhere: a function serves or is stopped
 * on purpose, or nothing else is wanted. A group the manifest does not know may be misspelt, and
 * where it is the only one nothing is known of what is wanted.
 */
export function isAtWork(
  serving: Serving,
  { functions, missingGroups }: Pick<DesiredState, 'functions' | 'missingGroups'>,
): boolean {
  if (servesAnything(serving)) return true
  for (const { stopped } of serving.slots.values()) if (stopped) return true
  return missingGroups.length === 0 && [...functions.values()].every(isStopped)
}

function isStopped({ hold }: FunctionState): boolean {
  return hold?.mode === 'stopped'
}
