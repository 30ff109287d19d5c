import * as z from 'zod'
import type { Program } from './program.ts'

/** What a server under test has used since it started; null what cannot be read of it. */
export interface ServerUsage {
  readonly cpuMs: number | null
  readonly rssBytes: number | null
  /** After a collection where the server has `--expose-gc`. */
  readonly heapBytes: number | null
}

/** Asks a program that runs `announce` (see `servers/announce.ts`). */
export function usageOf(server: Program): Promise<ServerUsage> {
  server.send({ question: 'usage' })
  return server.receive(usageSchema)
}

const usageSchema: z.ZodType<ServerUsage> = z.object({
  cpuMs: z.number().nullable(),
  rssBytes: z.number().nullable(),
  heapBytes: z.number().nullable(),
})
