import * as z from 'zod'
import { type Digest, digestSchema } from './digest.ts'
import { environmentNameSchema, functionNameSchema } from './function-name.ts'

/** Something a runtime did not take, and why. Codes are stable, see `RuntimeErrorCode`. */
export interface ReportedRefusal {
  readonly code: string
  readonly message: string
  readonly since: string
}

export interface ReportedFunction {
  /** Release that serves as stable; null when none does. */
  readonly stable: Digest | null
  readonly canary: Digest | null
  readonly weightPercent: number
  readonly stopped: boolean
  /** Version of the manifest that made it so; null when nothing of it serves. */
  readonly manifestVersion: number | null
  readonly refusals: readonly ReportedRefusal[]
}

/**
 * What one runtime says about itself, at `environments/<env>/instances/<instance>.json`. Unsigned
 * and best effort: advice about a fleet, never an instruction to it.
 */
export interface InstanceReport {
  readonly specVersion: 1
  readonly environment: string
  readonly instance: string
  readonly reportedAt: string
  readonly startedAt: string
  readonly state: 'starting' | 'ready' | 'notReady'
  /** Whether its manifest has expired, so that it accepts no change but a newer one. */
  readonly frozen: boolean
  /** The manifest it runs; null before the first activation. */
  readonly manifest: {
    readonly epoch: number
    readonly version: number
    readonly digest: Digest
    readonly commit: string | null
    readonly activatedAt: string
    /** From the manifest's issue to its activation here. */
    readonly lagMs: number
  } | null
  /** Why the newest manifest it saw was refused, if it was. */
  readonly refusal: ReportedRefusal | null
  readonly functions: Readonly<Record<string, ReportedFunction>>
}

const refusalSchema: z.ZodType<ReportedRefusal> = z.object({
  code: z.string(),
  message: z.string(),
  since: z.iso.datetime(),
})

export const instanceReportSchema: z.ZodType<InstanceReport> = z.object({
  specVersion: z.literal(1),
  environment: environmentNameSchema,
  instance: z.string(),
  reportedAt: z.iso.datetime(),
  startedAt: z.iso.datetime(),
  state: z.enum(['starting', 'ready', 'notReady']),
  frozen: z.boolean(),
  manifest: z
    .object({
      epoch: z.int(),
      version: z.int(),
      digest: digestSchema,
      commit: z.string().nullable(),
      activatedAt: z.iso.datetime(),
      lagMs: z.number(),
    })
    .nullable(),
  refusal: refusalSchema.nullable(),
  functions: z.record(
    functionNameSchema,
    z.object({
      stable: digestSchema.nullable(),
      canary: digestSchema.nullable(),
      weightPercent: z.number(),
      stopped: z.boolean(),
      manifestVersion: z.int().nullable(),
      refusals: z.array(refusalSchema),
    }),
  ),
})
