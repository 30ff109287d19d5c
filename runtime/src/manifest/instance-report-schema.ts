import * as z from 'zod/mini'
import { digestSchema } from './digest.ts'
import { environmentNameSchema, functionNameSchema } from './function-name.ts'
import {
  type InstanceReport,
  type ReportedRefusal,
  type ReportedRollout,
  reportedSideSchema,
} from './instance-report.ts'

const refusalSchema: z.ZodMiniType<ReportedRefusal> = z.object({
  code: z.string(),
  message: z.string(),
  since: z.iso.datetime(),
  release: z.optional(digestSchema),
  salt: z.optional(z.nullable(z.string())),
})

const rolloutSchema: z.ZodMiniType<ReportedRollout> = z.object({
  canary: digestSchema,
  salt: z.string(),
  since: z.iso.datetime(),
  measured: z.object({ stable: reportedSideSchema, canary: reportedSideSchema }),
  step: z.optional(z.object({ weightPercent: z.number(), callsBefore: z.int().check(z.gte(0)) })),
  trip: z.nullable(
    z.object({
      cause: z.enum(['errors', 'latency']),
      at: z.iso.datetime(),
      stable: reportedSideSchema,
      canary: reportedSideSchema,
      slowLimitMs: z.nullable(z.number()),
      evidence: z.number(),
    }),
  ),
})

const stableFailureShape = {
  stable: digestSchema,
  at: z.iso.datetime(),
  calls: z.int().check(z.gte(0)),
  faults: z.int().check(z.gte(0)),
  usualShare: z.number(),
  evidence: z.number(),
}

/** For those who read reports: a runtime writes its own only. */
export const instanceReportSchema: z.ZodMiniType<InstanceReport> = z.object({
  specVersion: z.literal(1),
  environment: environmentNameSchema,
  instance: z.string(),
  reportedAt: z.iso.datetime(),
  startedAt: z.iso.datetime(),
  uptimeMs: z.optional(z.number().check(z.gte(0))),
  state: z.enum(['starting', 'ready', 'notReady']),
  frozen: z.boolean(),
  manifest: z.nullable(
    z.object({
      epoch: z.int(),
      version: z.int(),
      digest: digestSchema,
      commit: z.nullable(z.string()),
      activatedAt: z.iso.datetime(),
      lagMs: z.number(),
    }),
  ),
  refusal: z.nullable(refusalSchema),
  functions: z.record(
    functionNameSchema,
    z.object({
      stable: z.nullable(digestSchema),
      canary: z.nullable(digestSchema),
      weightPercent: z.number(),
      stopped: z.boolean(),
      manifestVersion: z.nullable(z.int()),
      refusals: z.array(refusalSchema),
      rollout: z.optional(rolloutSchema),
      stableTrip: z.optional(z.object({ ...stableFailureShape, successor: digestSchema })),
      stableFailure: z.optional(z.object(stableFailureShape)),
    }),
  ),
  stopped: z.optional(z.boolean()),
})
