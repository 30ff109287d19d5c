import type { Slot } from './slot.ts'

/** Functions in the order in which memory is to be spent on them: those that were called lately come first. */
export interface LoadAheadInput {
  readonly functions: Iterable<string>
  readonly slots: ReadonlyMap<string, Slot>
  readonly recent: ReadonlySet<string>
  /** Most functions to have loaded before anybody calls them. */
  readonly limit: number
}

/**
 * Functions to load before their first call: those that are loaded now, whatever they become, so
 * that a change costs no caller anything; and as many of the others as the limit leaves.
 */
export function chooseLoadAhead({
  functions,
  slots,
  recent,
  limit,
}: LoadAheadInput): ReadonlySet<string> {
  const names = [...functions]
  const chosen = new Set(names.filter((name) => isLoaded(slots.get(name))))
  for (const isTurn of [(name: string) => recent.has(name), () => true]) {
    for (const name of names) {
      if (chosen.size >= limit) return chosen
      if (isTurn(name)) chosen.add(name)
    }
  }
  return chosen
}

export function isLoaded(slot: Slot | undefined): boolean {
  return slot?.stable?.revision.isLoaded === true
}
