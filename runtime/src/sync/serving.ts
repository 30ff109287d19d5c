import type { RuntimeError } from '../errors.ts'
import { pause } from '../pause.ts'
import {
  type RouteEntry,
  type RouteTable,
  type RouteTableResult,
  startRouteTable,
} from '../routing/route-table.ts'
import type { Slot } from './slot.ts'

/** Everything a request needs, replaced in one assignment. */
export interface Serving {
  readonly routes: RouteTable
  readonly slots: ReadonlyMap<string, Slot>
}

/** Where requests find what serves: one assignment replaces it for all that come after. */
export interface ServingCell {
  current: Serving
}

export interface NextServing {
  readonly serving: Serving
  /** Functions whose new release wants a route another one has; their old release goes on serving. */
  readonly conflicts: ReadonlyMap<string, RuntimeError>
}

export const emptyServing: Serving = {
  routes: startRouteTable().build().table,
  slots: new Map(),
}

/** This slot in the place of the one of its function, at the address that one has. */
export function withSlot(current: Serving, slot: Slot): Serving {
  return { routes: current.routes, slots: new Map(current.slots).set(slot.function, slot) }
}

/**
 * Routes for these slots. Who already serves a route keeps it; who loses a conflict falls back on
 * what serves it now, and without that is left out.
 */
export async function nextServing(
  current: Serving,
  wanted: ReadonlyMap<string, Slot>,
): Promise<NextServing> {
  const slots = new Map(wanted)
  const conflicts = new Map<string, RuntimeError>()

  for (;;) {
    const { table, refusals } = await routesOf(current, slots)
    if (refusals.size === 0) return { serving: { routes: table, slots }, conflicts }
    for (const [name, refusal] of refusals) {
      conflicts.set(name, refusal)
      const before = current.slots.get(name)
      const next = slots.get(name)
      if (before === undefined || next === undefined || before.http === next.http) {
        slots.delete(name)
      } else slots.set(name, { ...before, stopped: next.stopped })
    }
  }
}

async function routesOf(
  current: Serving,
  slots: ReadonlyMap<string, Slot>,
): Promise<RouteTableResult> {
  const isSettled = (entry: RouteEntry): boolean => {
    const before = current.slots.get(entry.function)
    return before?.http.method === entry.method && before.http.path === entry.path
  }
  const entries: RouteEntry[] = []
  let settled = 0
  for (const { function: name, http } of slots.values()) {
    const entry = { function: name, method: http.method, path: http.path }
    entries.push(entry)
    if (isSettled(entry)) settled += 1
    await pause()
  }
  const isUnchanged = slots.size === current.slots.size && slots.size === settled
  if (isUnchanged) return { table: current.routes, refusals: new Map() }
  const builder = startRouteTable()
  for (const isTurn of [isSettled, (entry: RouteEntry) => !isSettled(entry)]) {
    for (const entry of entries.filter(isTurn)) {
      builder.add(entry)
      await pause()
    }
  }
  return builder.build()
}
