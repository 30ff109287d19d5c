import { join } from 'node:path'

/**
 * What is compared. `baseline` is the same handler and the same validation as a hand-written
 * Fastify route; `baselineAgain` is the very same program, and so shows what the machine alone
 * makes differ; `ajv` is Fastify's own idiom, which validates the input only.
 */
export const arms = {
  baseline: { label: 'hand-written', server: 'hand-written.ts' },
  baselineAgain: { label: 'hand-written again', server: 'hand-written.ts' },
  ajv: { label: 'hand-written, ajv', server: 'hand-written-ajv.ts' },
  needle: { label: 'needle', server: 'needle.ts' },
} as const

export type Arm = keyof typeof arms

export const armNames = ['baseline', 'baselineAgain', 'ajv', 'needle'] as const satisfies Arm[]

export function serverFile(arm: Arm): string {
  return join(import.meta.dirname, 'servers', arms[arm].server)
}
