import type { Files } from '../workspace.ts'

export const fleetGroup = 'fleet'

/** One may be called twice, and so answered for by stable; the other may not. */
export const fleetFunctions = { card: 'fleet/card', order: 'fleet/order' } as const

export type FleetFunction = keyof typeof fleetFunctions

/** How a version of a function behaves. */
export type Health = 'well' | 'fails half of its calls'

export function fleetFiles(version: string): Files {
  return { ...fleetFile('card', version, 'well'), ...fleetFile('order', version, 'well') }
}

/** One function at this version. */
export function fleetFile(name: FleetFunction, version: string, health: Health): Files {
  return { [`functions/${fleetFunctions[name]}/index.ts`]: sourceOf(name, version, health) }
}

function sourceOf(name: FleetFunction, version: string, health: Health): string {
  const http =
    name === 'card'
      ? `{ method: 'GET', path: '/fleet/card/:id' }`
      : `{ method: 'POST', path: '/fleet/order' }`
  const fails = health === 'well' ? '' : `\n    if (Math.random() < 0.5) throw new Error('bad')`
  return `import { defineFunction } from '@needle-faas/runtime/function'
import * as z from 'zod/mini'

export default defineFunction({
  input: z.object({ id: z.string() }),
  output: z.object({ id: z.string(), version: z.string() }),
  http: ${http},
  async handler({ id }) {
    await new Promise((resolve) => setTimeout(resolve, 2))${fails}
    return { id, version: '${version}' }
  },
})
`
}
