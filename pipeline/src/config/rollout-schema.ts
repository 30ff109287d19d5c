import {
  analysisLimitsSchema,
  analysisLimitsShape,
  type FreezeWindow,
  type PrometheusCheck,
  type RolloutStep,
  type StickyKeySource,
} from '@needle-faas/runtime/manifest'
import * as z from 'zod'
import { isDay, isTimeZone } from './freeze.ts'
import type { RolloutPlan, RolloutPolicy } from './rollout-policy.ts'

const dayMs = 24 * 60 * 60 * 1000

const stepSchema: z.ZodType<RolloutStep> = z.strictObject({
  weightPercent: z.int().min(1).max(100),
  bakeMs: z
    .int()
    .min(0)
    .max(30 * dayMs),
  approval: z.exactOptional(z.boolean()),
})

const stepsSchema = z
  .array(stepSchema)
  .min(1, 'name at least one step, or leave steps out for the default')
  .max(20)
  .refine(
    (steps) =>
      steps.every(
        ({ weightPercent }, index) => weightPercent > (steps[index - 1]?.weightPercent ?? 0),
      ),
    'weights rise from step to step',
  )

const timeSchema = z.string().regex(/^(?:[01]\d|2[0-3]):[0-5]\d$/, 'use HH:MM, as 17:30')

const freezeSchema: z.ZodType<FreezeWindow> = z.strictObject({
  days: z
    .array(z.string().refine(isDay, 'use mon to sun, or a date as 2026-11-27'))
    .min(1)
    .max(366),
  from: timeSchema,
  to: z.union([timeSchema, z.literal('24:00')], 'use HH:MM, as 17:30, to 24:00'),
  timeZone: z.string().refine(isTimeZone, 'use an IANA time zone, as Europe/Berlin or UTC'),
  reason: z.string().min(1).max(200),
})

const prometheusSchema: z.ZodType<PrometheusCheck> = z.strictObject({
  query: z.string().min(1).max(2000),
  max: z.number(),
})

/** Of RFC 9110 and RFC 6265: what names of headers and cookies are made of. */
const tokenSchema = z
  .string()
  .max(200)
  .regex(/^[\w!#$%&'*+.^`|~-]+$/, 'use a name without spaces, as x-user-id')

const stickyKeySchema: z.ZodType<StickyKeySource> = z
  .strictObject({
    httpHeaderName: z.exactOptional(tokenSchema),
    httpCookie: z.exactOptional(z.strictObject({ name: tokenSchema })),
    caller: z.exactOptional(
      z
        .string()
        .max(200)
        .regex(/^[^.\s]+(?:\.[^.\s]+)*$/, 'use a path into what the host knows, as user.id'),
    ),
  })
  .refine(
    (source) => Object.keys(source).length === 1,
    'name exactly one of httpHeaderName, httpCookie and caller',
  )

const windowSchema = z
  .int()
  .min(0)
  .max(7 * dayMs)

/** Each limit as the manifest takes it, none of them required. */
const analysisSchema = z.strictObject({
  errorRise: z.exactOptional(analysisLimitsShape.errorRise),
  latencyQuantile: z.exactOptional(analysisLimitsShape.latencyQuantile),
  latencyFactor: z.exactOptional(analysisLimitsShape.latencyFactor),
  latencyToleranceMs: z.exactOptional(analysisLimitsShape.latencyToleranceMs),
  slowRise: z.exactOptional(analysisLimitsShape.slowRise),
  minimumCalls: z.exactOptional(analysisLimitsShape.minimumCalls),
})

/** `policies.*.rollout` of the configuration. */
export const rolloutPolicySchema: z.ZodType<RolloutPolicy> = z.strictObject({
  steps: z.exactOptional(stepsSchema),
  analysis: z.exactOptional(analysisSchema),
  freeze: z.exactOptional(z.array(freezeSchema).max(20)),
  rollbackWindowMs: z.exactOptional(windowSchema),
  prometheus: z.exactOptional(prometheusSchema),
  stickyKey: z.exactOptional(stickyKeySchema),
})

/** The same with its defaults filled in, as `build.json` has it. */
export const rolloutPlanSchema: z.ZodType<RolloutPlan> = z.strictObject({
  steps: stepsSchema,
  analysis: analysisLimitsSchema,
  rollbackWindowMs: windowSchema,
  freeze: z.exactOptional(z.array(freezeSchema).max(20)),
  prometheus: z.exactOptional(prometheusSchema),
  stickyKey: z.exactOptional(stickyKeySchema),
})
