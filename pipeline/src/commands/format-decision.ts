import * as z from 'zod'
import type { Decision } from '../environment-state/decisions.ts'

const sideSchema = z.object({
  calls: z.number(),
  faults: z.number(),
  slow: z.number(),
  probes: z.object({ calls: z.number(), faults: z.number() }).optional(),
})
const evidenceSchema = z.object({
  stable: sideSchema.optional(),
  canary: sideSchema.optional(),
  voted: z.number().optional(),
  live: z.number().optional(),
  metric: z.number().optional(),
})

/** A decision on one line, with the part of its evidence that people look at first. */
export function formatDecision({
  function: name,
  kind,
  verdict,
  text,
  evidence,
}: Decision): string {
  const head = [...(name === null ? [] : [name]), kind, ...(verdict === null ? [] : [verdict])]
  return [`decided: ${head.join(' ')}: ${text}`, ...formatEvidence(evidence)].join(' · ')
}

function formatEvidence(evidence: unknown): readonly string[] {
  const parsed = evidenceSchema.safeParse(evidence)
  if (!parsed.success) return []
  const { stable, canary, voted, live, metric } = parsed.data
  return [
    ...(canary === undefined ? [] : [`canary ${formatSide(canary)}`]),
    ...(stable === undefined ? [] : [`stable ${formatSide(stable)}`]),
    ...(voted === undefined ? [] : [`${voted} of ${live ?? voted} instances`]),
    ...(metric === undefined ? [] : [`Prometheus ${metric}`]),
  ]
}

function formatSide({ calls, faults, slow, probes }: z.infer<typeof sideSchema>): string {
  const ofUsers = `${calls} calls, ${faults} failed, ${slow} slow`
  return probes === undefined
    ? ofUsers
    : `${ofUsers}, ${probes.calls} probes, ${probes.faults} failed`
}
