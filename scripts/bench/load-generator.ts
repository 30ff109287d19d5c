import { join } from 'node:path'
import * as z from 'zod'
import type { Asked } from './asked.ts'
import type { LoadResult } from './http-load.ts'
import { startProgram } from './program.ts'

export interface LoadOrder {
  readonly port: number
  readonly asked: Asked
  readonly connections: number
  readonly durationMs: number
  readonly ratePerSecond?: number | undefined
}

/** Ends the load that runs before its time. */
export interface StopOrder {
  readonly stop: true
}

/** `load-process.ts` on a core of its own. */
export interface LoadGenerator {
  /** One at a time. Wrong answers are counted in the result, it does not reject for them. */
  run(order: LoadOrder): Promise<LoadResult>
  /** Lets the load that runs end now. */
  stop(): void
  close(): Promise<void>
}

export function startLoadGenerator(): LoadGenerator {
  const program = startProgram(join(import.meta.dirname, 'load-process.ts'), { core: 1 })
  return {
    run: (order) => {
      program.send(order)
      return program.receive(resultSchema)
    },
    stop: () => program.send({ stop: true } satisfies StopOrder),
    close: () => program.close(),
  }
}

/** @throws Error when any answer is wrong: a fast server that answers wrongly is not fast */
export function assertRight(who: string, result: LoadResult): LoadResult {
  if (result.failed === 0) return result
  throw new Error(`${who}: ${result.failed} wrong answers, the first: ${result.firstFailure}`)
}

const resultSchema: z.ZodType<LoadResult> = z.object({
  answered: z.int(),
  failed: z.int(),
  firstFailure: z.string().nullable(),
  durationMs: z.number(),
  p50Ms: z.number(),
  p99Ms: z.number(),
  maxMs: z.number(),
  latenciesMs: z.array(z.number()),
  busy: z.number(),
})
