import * as z from 'zod'
import type { NewestManifest } from './environment-state.ts'

/** A change that measurements decided, as the manifest that made it keeps it. */
export interface Decision {
  /** Full name; null when it is about the environment. */
  readonly function: string | null
  /** `step`, `promote`, `abort`, `rollback`; later controllers may know more. */
  readonly kind: string
  /** `successful`, `failed`, …; null when none was given. */
  readonly verdict: string | null
  readonly text: string
  /** What it was based on, as the controller wrote it. */
  readonly evidence: unknown
}

const decisionSchema = z.object({
  function: z.string().nullish(),
  kind: z.string(),
  verdict: z.string().nullish(),
  text: z.string(),
  evidence: z.unknown().optional(),
})

const jwsSchema = z.object({ payload: z.string() })
const payloadSchema = z.object({ decisions: z.array(z.unknown()) })

/**
 * The decisions of a verified manifest; none when it has none. Read from the signed bytes, entry by
 * entry: a history is told even where another version of Needle wrote evidence of another shape.
 */
export function readDecisions({ bytes }: Pick<NewestManifest, 'bytes'>): readonly Decision[] {
  const jws = jwsSchema.parse(parse(bytes))
  const payload = payloadSchema.safeParse(parse(Buffer.from(jws.payload, 'base64url')))
  if (!payload.success) return []
  return payload.data.decisions.flatMap((entry) => {
    const decision = decisionSchema.safeParse(entry)
    if (!decision.success) return []
    const { function: name = null, kind, verdict = null, text, evidence } = decision.data
    return [{ function: name, kind, verdict, text, evidence: evidence ?? null }]
  })
}

function parse(bytes: Uint8Array): unknown {
  return JSON.parse(new TextDecoder().decode(bytes))
}
