import { environmentNameSchema } from '@needle-faas/runtime/manifest'
import * as z from 'zod'
import { rolloutPolicySchema } from './rollout-schema.ts'
import type { EnvironmentConfig, NeedleConfig, Policy } from './needle-config.ts'

const policySchema: z.ZodType<Policy> = z.strictObject({
  timeoutMs: z.exactOptional(z.int().min(1).max(300_000)),
  maxConcurrency: z.exactOptional(z.int().min(1).max(100_000)),
  maxQueue: z.exactOptional(z.int().min(0).max(100_000)),
  maxBodyBytes: z.exactOptional(
    z
      .int()
      .min(0)
      .max(50 * 1024 * 1024),
  ),
  rollout: z.exactOptional(z.union([rolloutPolicySchema, z.literal(false)])),
})

const webhookSchema = z.url({ protocol: /^https?$/, error: 'use an http(s) address' })

const environmentSchema: z.ZodType<EnvironmentConfig> = z.strictObject({
  store: z.string().regex(/^(?:file:|s3:\/\/)/, 'use file:<path> or s3://<bucket>/<prefix>'),
  trust: z.string().min(1),
  services: z.array(z.string().min(1).max(80)).max(100),
  url: z.exactOptional(z.url()),
  alarms: z.exactOptional(z.strictObject({ webhook: z.exactOptional(webhookSchema) })),
})

const segment = '[a-z][a-z0-9]*(?:-[a-z0-9]+)*'
const policyKeySchema = z
  .string()
  .regex(
    new RegExp(`^${segment}(?:/${segment})?$`),
    'use a group ("shop") or a function ("shop/card")',
  )

export const needleConfigSchema: z.ZodType<NeedleConfig> = z.strictObject({
  environments: z
    .record(environmentNameSchema, environmentSchema)
    .refine(
      (environments) => Object.keys(environments).length > 0,
      'name at least one environment',
    ),
  policies: z.exactOptional(z.record(policyKeySchema, policySchema)),
  budget: z.exactOptional(z.strictObject({ bundleBytes: z.exactOptional(z.int().min(1)) })),
})
