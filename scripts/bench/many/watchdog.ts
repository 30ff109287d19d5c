import { join } from 'node:path'
import * as z from 'zod'
import { interval } from '../figure-table.ts'
import { assertRight, type LoadOrder, startLoadGenerator } from '../load-generator.ts'
import { connections, untilReady } from '../measure-round.ts'
import { startProgram } from '../program.ts'
import { createSeededRandom, shuffled } from '../seeded-random.ts'
import { estimateMedian, median, pairedRatios } from '../statistics.ts'
import type { Finding, MeasureOptions } from './finding.ts'
import type { ManyWorkspace } from './many-workspace.ts'

/** Requests per second while the watchdog watched and while it did not, next to each other in time. */
export interface Alternation {
  readonly on: number
  readonly off: number
}

/**
 * Many short ones: what others do to the machine comes in bursts, and a median forgets those. Of a
 * hundred, the interval is as wide as what is asked for leaves room: 0.985 to 0.997 in the middle in
 * four runs, and 0.01 less below.
 */
export const alternationCount = 300
/** Of the time for one measurement, each side of an alternation has this share. */
const share = 1 / 4
/** After the watchdog has started or ended, before it is measured again. */
const settleMs = 200

/** One process and one function, called over and over, with the watchdog switched on and off. */
export async function measureWatchdog(
  workspace: ManyWorkspace,
  { durationMs, warmUpMs, seed, onProgress }: MeasureOptions,
): Promise<Alternation[]> {
  await workspace.select(1)
  const generator = startLoadGenerator()
  const server = startProgram(join(import.meta.dirname, '..', 'servers', 'needle-watchdog.ts'), {
    core: 0,
    env: await workspace.freshEnv(),
  })
  try {
    const { port } = await server.receive(z.object({ port: z.int() }))
    const asked = { what: 'many', functions: 1, versions: [1] } as const
    await untilReady(port, asked)
    const load = async (order: Pick<LoadOrder, 'durationMs'>) =>
      assertRight('needle', await generator.run({ port, asked, connections, ...order }))
    const measure = async (question: 'on' | 'off'): Promise<number> => {
      server.send({ question })
      const { watches } = await server.receive(z.object({ watches: z.boolean() }))
      if (watches !== (question === 'on')) throw new Error('The watchdog did not do as it was told')
      await load({ durationMs: settleMs })
      const result = await load({ durationMs: durationMs * share })
      return (result.answered / result.durationMs) * 1000
    }
    // It proves itself.
    await load({ durationMs: warmUpMs })
    const random = createSeededRandom(seed)
    const alternations: Alternation[] = []
    while (alternations.length < alternationCount) {
      const perSecond = { on: 0, off: 0 }
      for (const each of shuffled(['on', 'off'] as const, random)) {
        perSecond[each] = await measure(each)
      }
      alternations.push(perSecond)
      if (alternations.length % 20 === 0) {
        onProgress(`watchdog, alternation ${alternations.length} of ${alternationCount}`)
      }
    }
    return alternations
  } finally {
    await generator.close()
    await server.close()
  }
}

const goal = 0.98

export function judgeWatchdog(
  alternations: readonly Alternation[],
  { seed }: { readonly seed: number },
): Finding {
  const on = alternations.map((each) => each.on)
  const off = alternations.map((each) => each.off)
  const ratio = estimateMedian(pairedRatios(on, off), { seed })
  return {
    what: 'throughput with the watchdog, to without it',
    goal: `lower bound at least ${goal}`,
    isMet: ratio.low >= goal,
    figure: interval(ratio),
    details: [
      `${alternations.length} alternations in one process, in random order; one function that had long been called`,
      `the watchdog's thread shares the server's core: what it uses is in the figure`,
      `with ${Math.round(median(on))}/s, without ${Math.round(median(off))}/s`,
    ],
    data: { ratio, alternations },
  }
}
