import * as z from 'zod'

/** What a process of the fleet tells. Times are epoch milliseconds: all processes share one clock. */
export const fleetMessageSchema = z.discriminatedUnion('kind', [
  /** All of its runtimes have started; `port` when it listens. */
  z.object({ kind: z.literal('ready'), port: z.int().nullable() }),
  z.object({
    kind: z.literal('activated'),
    instance: z.string(),
    version: z.int(),
    at: z.number(),
  }),
  z.object({
    kind: z.literal('tripped'),
    instance: z.string(),
    function: z.string(),
    canaryCalls: z.int(),
    at: z.number(),
  }),
  z.object({ kind: z.literal('requests'), gets: z.int(), puts: z.int() }),
])

export type FleetMessage = z.infer<typeof fleetMessageSchema>
