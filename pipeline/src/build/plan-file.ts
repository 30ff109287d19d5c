import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import {
  type Digest,
  digestSchema,
  functionNameSchema,
  type ReleaseRef,
  type Settings,
  settingsSchema,
} from '@needle-faas/runtime/manifest'
import * as z from 'zod'
import { PipelineError } from '../errors.ts'

/** A function whose present inputs were tested, built and released before. */
export interface ReleasedFunction {
  readonly name: string
  readonly inputs: Digest
  readonly release: ReleaseRef
  /** Of the verified release, so that routes and services are judged with it. */
  readonly settings: Settings
}

/** What `needle plan` found in the store: functions that check and build may skip. */
export interface PlanFile {
  readonly specVersion: 1
  readonly environment: string
  readonly scope: 'production' | 'preview'
  readonly released: readonly ReleasedFunction[]
}

const planFileSchema: z.ZodType<PlanFile> = z.strictObject({
  specVersion: z.literal(1),
  environment: z.string(),
  scope: z.enum(['production', 'preview']),
  released: z.array(
    z.strictObject({
      name: functionNameSchema,
      inputs: digestSchema,
      release: z.strictObject({
        release: digestSchema,
        sizeBytes: z.int().min(1),
        artifact: digestSchema,
        settings: digestSchema,
      }),
      settings: settingsSchema,
    }),
  ),
})

export async function writePlanFile(path: string, plan: PlanFile): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, `${JSON.stringify(plan, null, 2)}\n`)
}

/** @throws PipelineError `PLAN_INVALID` */
export async function readPlanFile(path: string): Promise<PlanFile> {
  try {
    return planFileSchema.parse(JSON.parse(await readFile(path, 'utf8')))
  } catch (cause) {
    throw new PipelineError(
      'PLAN_INVALID',
      `${path} is no plan of this version of needle. Run "needle plan --environment <name> --out ${path}" again.`,
      { cause, details: { path } },
    )
  }
}
