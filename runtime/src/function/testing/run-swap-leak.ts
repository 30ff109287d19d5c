import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import * as z from 'zod'

/** What a process holds after garbage collections. */
export interface SwapMemory {
  readonly afterSwaps: number
  readonly heapMb: number
  /** Outside of V8's heap but known to it: the bytes of buffers. */
  readonly externalMb: number
  readonly rssMb: number
  /** Of `node:vm`, and the process's own. */
  readonly contexts: number
}

/** Ten measurements and the one before them, from `swap-leak.ts` in a process of its own. */
export async function runSwapLeak(swaps: number): Promise<SwapMemory[]> {
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--expose-gc',
    '--conditions=needle-source',
    join(import.meta.dirname, 'swap-leak.ts'),
    String(swaps),
  ])
  return seriesSchema.parse(JSON.parse(stdout))
}

const seriesSchema: z.ZodType<SwapMemory[]> = z.array(
  z.object({
    afterSwaps: z.number(),
    heapMb: z.number(),
    externalMb: z.number(),
    rssMb: z.number(),
    contexts: z.number(),
  }),
)

/** What of the memory is to stay flat, and whether it did. */
export interface SwapLeakFinding {
  readonly what: string
  readonly goal: string
  readonly isMet: boolean
  readonly figure: string
}

/**
 * A swap of which something is kept shows in one of these at least: its artifact is 2 MB outside of
 * the heap, its source 2 MB in it, its data as much, and a context 150 KB when it is bare. The trial
 * holds on to the revisions it has disposed of, which are 4 to 10 KB each at first, 5 KB over 500 swaps. Resident memory sees what
 * V8 does not know of, and moves by some megabytes as it likes.
 */
export function judgeSwapLeak(series: readonly SwapMemory[]): SwapLeakFinding[] {
  const [first, last] = [series.at(0), series.at(-1)]
  if (first === undefined || last === undefined) throw new RangeError('Nothing was measured')
  const swaps = last.afterSwaps - first.afterSwaps
  const grown = (
    what: string,
    memory: Exclude<keyof SwapMemory, 'afterSwaps'>,
    most: number,
    unit = ' MB',
  ): SwapLeakFinding => ({
    what: `growth of ${what} over ${swaps} swaps`,
    goal: `at most ${toText(most)}${unit}`,
    isMet: last[memory] - first[memory] <= most,
    figure: `${toText(last[memory] - first[memory])}${unit}, from ${toText(first[memory])}${unit} to ${toText(last[memory])}${unit}`,
  })
  return [
    grown('the heap', 'heapMb', 1 + (swaps * heapKbPerSwap) / 1024),
    grown('memory outside of it', 'externalMb', 4),
    grown('resident memory', 'rssMb', 30),
    grown('the number of contexts', 'contexts', 2, ''),
  ]
}

const heapKbPerSwap = 8

function toText(value: number): string {
  return String(Math.round(value * 10) / 10)
}
