import { join } from 'node:path'
import * as z from 'zod'
import { type Program, type ProgramOptions, startProgram } from '../program.ts'
import { median } from '../statistics.ts'
import type { Turn } from './event-loop-turns.ts'
import type { Finding, MeasureOptions } from './finding.ts'
import type { ManyWorkspace } from './many-workspace.ts'

/** The longest turns while all functions were activated, each kind by itself. */
export interface LongestTurns {
  readonly first: Turn
  /** While all of them were changed. */
  readonly change: Turn
  /** While a process that begins anew took them from its disk, without loading any. */
  readonly restart: Turn
  /** While a loop did nothing but count, in the same process: nothing was activated. */
  readonly counting: Turn
}

/** What is judged, and what it is called. */
const activations = [
  { kind: 'first', what: 'first activation' },
  { kind: 'change', what: 'change of all' },
  { kind: 'restart', what: 'start from the disk' },
] as const

export interface SliceRound {
  /** As in production. */
  readonly usual: LongestTurns
  /**
   * In a heap that V8 has no need to mark: of the steps of an incremental marking it tells nobody, nor
   * of what it does around a collection, and on a busy machine that was over a second in one turn, in
   * whatever code happened to run.
   */
  readonly unmarked: LongestTurns
}

export async function measureSlices(
  workspace: ManyWorkspace,
  { rounds, onProgress }: MeasureOptions,
): Promise<SliceRound[]> {
  const measured: SliceRound[] = []
  for (let index = 0; index < rounds; index++) {
    const usual = await launch(workspace, [])
    const unmarked = await launch(workspace, [
      '--no-incremental-marking',
      `--initial-old-space-size=${unmarkedMb}`,
    ])
    measured.push({ usual, unmarked })
    onProgress(
      `longest slice, round ${index + 1} of ${rounds}: ${activations
        .map(({ kind, what }) => {
          return `${what} ${inMs(usual[kind].totalMs)}, own ${inMs(unmarked[kind].ownMs)}`
        })
        .join(' · ')} · counting ${inMs(unmarked.counting.ownMs)}`,
    )
  }
  return measured
}

/** Several times what a thousand functions and their predecessors leave behind. */
const unmarkedMb = 4000

async function launch(
  workspace: ManyWorkspace,
  nodeOptions: readonly string[],
): Promise<LongestTurns> {
  await workspace.select(1)
  // It looks when it is told to.
  const env = { ...(await workspace.freshEnv()), POLL_INTERVAL_MS: String(60 * 60 * 1000) }
  const loaded = await withProbe(
    'slice-probe.ts',
    { env: { ...env, LOAD_AHEAD: String(workspace.functions) }, nodeOptions },
    async (probe) => {
      const first = await longestOf(probe)
      await workspace.select(2)
      probe.send({ change: true })
      const change = await longestOf(probe)
      return { first, change, counting: await longestOf(probe) }
    },
  )
  const restart = await withProbe(
    'restart-probe.ts',
    { env: { ...env, LOAD_AHEAD: '0' }, nodeOptions },
    longestOf,
  )
  return { ...loaded, restart }
}

async function withProbe<Result>(
  file: string,
  options: ProgramOptions,
  use: (probe: Program) => Promise<Result>,
): Promise<Result> {
  const probe = startProgram(join(import.meta.dirname, 'probes', file), options)
  try {
    return await use(probe)
  } finally {
    await probe.close()
  }
}

async function longestOf(probe: Program): Promise<Turn> {
  const { turns } = await probe.receive(turnsSchema)
  const longest = (value: (turn: Turn) => number): number => Math.max(0, ...turns.map(value))
  return {
    totalMs: longest((turn) => turn.totalMs),
    withoutGcMs: longest((turn) => turn.withoutGcMs),
    ownMs: longest((turn) => turn.ownMs),
    cpuMs: longest((turn) => turn.cpuMs),
  }
}

const turnSchema: z.ZodType<Turn> = z.object({
  totalMs: z.number(),
  withoutGcMs: z.number(),
  ownMs: z.number(),
  cpuMs: z.number(),
})

const turnsSchema = z.object({ turns: z.array(turnSchema) })

const goalMs = 10

export function judgeSlices(
  rounds: readonly SliceRound[],
  { functions }: { readonly functions: number },
): Finding {
  const own = activations.map(({ kind }) => rounds.map(({ unmarked }) => unmarked[kind].ownMs))
  const all = own.flat()
  const counting = rounds.map(({ unmarked }) => unmarked.counting.ownMs)
  const longest = (mode: keyof SliceRound, value: (turn: Turn) => number): string => {
    return activations
      .map(({ kind, what }) => {
        const values = rounds.map((round) => value(round[mode][kind]))
        return `${what} ${inMs(median(values))} (at most ${inMs(Math.max(...values))})`
      })
      .join(', ')
  }
  return {
    what: `longest turn of the event loop while ${functions} functions are activated`,
    goal: `at most ${inMs(goalMs)} in the median launch of each of them`,
    isMet: own.every((values) => median(values) <= goalMs),
    figure: `${inMs(median(all))}, at most ${inMs(Math.max(...all))}`,
    details: [
      `${rounds.length} launches of each kind, with ${activations.map(({ what }) => what).join(', ')}, on all cores; without garbage collection and the functions' own top level`,
      "for this the heap is so large that V8 marks nothing, or what it does in between would be taken for the runtime's",
      `over ${inMs(goalMs)}: ${all.filter((ms) => ms > goalMs).length} of ${all.length}; a virtual machine that has to wait for its host takes that for its own processor time, as the loop that only counts shows`,
      `without both:                        ${longest('unmarked', (turn) => turn.ownMs)}`,
      `a loop that only counts, as long:    ${inMs(median(counting))} (at most ${inMs(Math.max(...counting))}) in the same process, with nothing to activate`,
      `with the top level:                  ${longest('unmarked', (turn) => turn.withoutGcMs)}`,
      `with everything, V8 as usual:        ${longest('usual', (turn) => turn.totalMs)}`,
      `the same in processor time:          ${longest('usual', (turn) => turn.cpuMs)}`,
      `compiling a function, making its context and reading its definition count; time in which something else had the core counts in neither the first line nor the last`,
    ],
    data: rounds,
  }
}

function inMs(milliseconds: number): string {
  return `${milliseconds.toFixed(1)} ms`
}
