import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as z from 'zod'
import { seconds } from '../playground/report.ts'
import { expectEqual } from './expect.ts'
import type { Narrator } from './narrator.ts'
import type { Answer, Landing, Stage } from './stage.ts'

export type Chapter = (stage: Stage, narrator: Narrator) => Promise<void>

/** The function of the story, and where Ada is greeted by it. */
export const name = 'shop/greeting'
export const path = '/api/shop/greeting/Ada'

export const greetingSchema = z.object({ text: z.string() })

const statusSchema = z.object({
  functions: z.record(z.string(), z.object({ hold: z.object({ reason: z.string() }).nullable() })),
})
const buildSchema = z.object({ functions: z.array(z.object({ status: z.string() })) })

export function greet(stage: Stage): Promise<Answer> {
  return stage.request('GET', path)
}

export function served(stage: Stage, text: string): () => Promise<boolean> {
  return async () => {
    const { status, body } = await greet(stage)
    return status === 200 && greetingSchema.parse(body).text === text
  }
}

export async function live(stage: Stage, landing: Landing, text: string): Promise<string> {
  expectEqual(landing.deployment.failed, null, failure(landing))
  const took = await stage.until(served(stage, text), landing.pushedAt)
  const { revision } = await greet(stage)
  return `push to served ${seconds(took)}: ${phases(landing)}\n${String(revision)}`
}

function failure({ deployment }: Landing): string {
  return deployment.failed === null ? '' : (deployment.runs[deployment.failed]?.output ?? '')
}

export function phases({ deployment }: Landing): string {
  return Object.entries(deployment.runs)
    .map(([phase, run]) => `${phase} ${seconds(run.durationMs)}`)
    .join(' · ')
}

/** Why the function is held against what Git says; null when it is not. */
export async function holdReason(stage: Stage): Promise<string | null> {
  const { output } = await stage.operate('status', '--json')
  const { functions } = statusSchema.parse(JSON.parse(output))
  return functions[name]?.hold?.reason ?? null
}

/** How many functions the newest build had to bundle. */
export async function builtCount({ playground }: Stage): Promise<number> {
  const file = join(playground.directories.root, 'build', 'build.json')
  const build = buildSchema.parse(JSON.parse(await readFile(file, 'utf8')))
  return build.functions.filter((entry) => entry.status === 'built').length
}
