import type { FunctionState, GroupDocument, ReleaseRef } from '@needle-faas/runtime/manifest'

/** Desired state of every function of an environment by its full name. */
export type FunctionStates = ReadonlyMap<string, FunctionState>

export function toFunctionStates(groups: Readonly<Record<string, GroupDocument>>): FunctionStates {
  const states = new Map<string, FunctionState>()
  for (const document of Object.values(groups)) {
    for (const [name, state] of Object.entries(document.functions)) {
      states.set(`${document.group}/${name}`, state)
    }
  }
  return states
}

/** Every release a function's state names: stable, canary, previous. */
export function releasesOf(state: FunctionState): readonly ReleaseRef[] {
  const canary = state.rollout === null ? [] : [state.rollout.canary]
  return [state.stable, ...canary, ...state.previous]
}

/** Group documents with sorted keys, so that equal state has equal bytes. Groups without functions disappear. */
export function toGroups(states: FunctionStates): Record<string, GroupDocument> {
  const functionsOf = new Map<string, Record<string, FunctionState>>()
  for (const fullName of [...states.keys()].toSorted()) {
    const state = states.get(fullName)
    const [group = '', name = ''] = fullName.split('/')
    if (state === undefined) continue
    const functions = functionsOf.get(group) ?? {}
    functions[name] = state
    functionsOf.set(group, functions)
  }
  return Object.fromEntries(
    [...functionsOf].map(([group, functions]) => [group, { specVersion: 1, group, functions }]),
  )
}
