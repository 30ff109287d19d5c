import * as z from 'zod'
import type { Program } from './program.ts'

/** What a server under test has used since it started. */
export interface ServerUsage {
  readonly cpuMs: number
  readonly rssBytes: number
  /** After a collection where the server has `--expose-gc`. */
  readonly heapBytes: number
}

/** Asks a program that runs `serve` (see `servers/serve.ts`). */
export function usageOf(server: Program): Promise<ServerUsage> {
  server.send({ question: 'usage' })
  return server.receive(usageSchema)
}

const usageSchema: z.ZodType<ServerUsage> = z.object({
  cpuMs: z.number(),
  rssBytes: z.number(),
  heapBytes: z.number(),
})
