import { join } from 'node:path'
import * as z from 'zod'
import { startProgram } from '../program.ts'
import { median } from '../statistics.ts'
import type { Finding, MeasureOptions } from './finding.ts'
import type { ManyWorkspace } from './many-workspace.ts'

/** Bytes of heap after garbage collection, per function or context. */
export interface HeapUse {
  readonly idle: number
  /** What one call adds. */
  readonly active: number
  readonly bareContext: number
  /** Of the whole process, which also has what is outside the heap and what is not given back. */
  readonly activeRss: number
}

export async function measureHeap(
  workspace: ManyWorkspace,
  { rounds, onProgress }: MeasureOptions,
): Promise<HeapUse[]> {
  await workspace.select(1)
  const uses: HeapUse[] = []
  for (let index = 0; index < rounds; index++) {
    const probe = startProgram(join(import.meta.dirname, 'probes', 'heap-probe.ts'), {
      env: { ...(await workspace.freshEnv()), LOAD_AHEAD: '0' },
      nodeOptions: ['--expose-gc'],
    })
    try {
      const use = await probe.receive(useSchema)
      uses.push(use)
      onProgress(
        `heap, launch ${index + 1} of ${rounds}: idle ${inKb(use.idle)} · active ${inKb(use.active)} · bare context ${inKb(use.bareContext)}`,
      )
    } finally {
      await probe.close()
    }
  }
  return uses
}

const useSchema: z.ZodType<HeapUse> = z.object({
  idle: z.number(),
  active: z.number(),
  bareContext: z.number(),
  activeRss: z.number(),
})

const idleGoal = 20 * 1024
const activeGoal = 120 * 1024

export function judgeHeap(
  uses: readonly HeapUse[],
  { functions }: { readonly functions: number },
): Finding[] {
  const middle = (value: (use: HeapUse) => number): number => median(uses.map(value))
  const above = (use: HeapUse): number => use.active - use.bareContext
  const worst = (value: (use: HeapUse) => number): number => Math.max(...uses.map(value))
  const launches = `${uses.length} launches, ${functions} functions each; heap used after six collections with turns of the loop between them`
  return [
    {
      what: 'heap per registered function that nobody calls',
      goal: `at most ${inKb(idleGoal)}`,
      isMet: worst(({ idle }) => idle) <= idleGoal,
      figure: `${inKb(middle(({ idle }) => idle))}, at most ${inKb(worst(({ idle }) => idle))}`,
      details: [launches, "the runtime's own state is in it, divided by the functions"],
      data: uses,
    },
    {
      what: 'heap per function called once, above its bare vm context',
      goal: `at most ${inKb(activeGoal)}`,
      isMet: worst(above) <= activeGoal,
      figure: `${inKb(middle(above))}, at most ${inKb(worst(above))}`,
      details: [
        `${launches}; contexts made in the same process, with DONT_CONTEXTIFY`,
        `with its context ${inKb(middle(({ active }) => active))}, the bare one ${inKb(middle(({ bareContext }) => bareContext))}, RSS ${inKb(middle(({ activeRss }) => activeRss))}`,
        'first releases: a change keeps the release before it loaded too (warmPrevious 1)',
      ],
      data: uses,
    },
  ]
}

function inKb(bytes: number): string {
  return `${(bytes / 1024).toFixed(1)} KB`
}
