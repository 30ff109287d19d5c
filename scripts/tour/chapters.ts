import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as z from 'zod'
import { seconds } from '../playground/report.ts'
import { runNeedle } from '../playground/run-needle.ts'
import { expectEqual, expectThat } from './expect.ts'
import { writeGreeting } from './greeting.ts'
import type { Narrator } from './narrator.ts'
import type { Answer, Landing, Stage } from './stage.ts'

export type Chapter = (stage: Stage, narrator: Narrator) => Promise<void>

const path = '/api/shop/greeting/Ada'
const name = 'shop/greeting'

const greetingSchema = z.object({ text: z.string() })
const statusSchema = z.object({
  functions: z.record(z.string(), z.object({ hold: z.object({ reason: z.string() }).nullable() })),
})
const buildSchema = z.object({ functions: z.array(z.object({ status: z.string() })) })

const addition: Chapter = async (stage, { chapter, step }) => {
  chapter('A function is added')
  await step('needle new writes function, test and page', async () => {
    const { work } = stage.playground.directories
    const made = await runNeedle(['new', name, '--method', 'GET', '--path', `/${name}/:name`], {
      cwd: work,
      env: {},
    })
    expectEqual(made.exitCode, 0, made.output)
    await writeGreeting(work, 'Hello')
    return ''
  })
  await step(
    'pushed: checked, built, signed, published, and served without a restart',
    async () => {
      expectEqual((await greet(stage)).status, 404, 'before')
      return live(stage, await stage.push('Add a greeting'), 'Hello, Ada!')
    },
  )
}

const change: Chapter = async (stage, { chapter, step }) => {
  chapter('It is changed')
  await step('the new text is live', async () => {
    await writeGreeting(stage.playground.directories.work, 'Good morning')
    return live(stage, await stage.push('Greet in the morning'), 'Good morning, Ada!')
  })
}

const refusal: Chapter = async (stage, { chapter, step }) => {
  chapter('A broken change is refused by its tests')
  await step('the push is not published and the old code goes on serving', async () => {
    await writeGreeting(stage.playground.directories.work, 'Good mourning')
    const { deployment } = await stage.push('Greet with a slip')
    expectEqual(deployment.failed, 'check', 'the phase that refused it')
    const output = deployment.runs.check?.output ?? ''
    expectThat(output.includes('greets by name'), `the refusal names the test:\n${output}`)
    expectEqual((await greet(stage)).body, { text: 'Good morning, Ada!' }, 'still served')
    return phases({ deployment, pushedAt: 0 })
  })
  await step('reverted in Git: nothing to publish', async () => {
    const { deployment } = await stage.revert()
    expectEqual(deployment.failed, null, deployment.runs.publish?.output ?? 'deployment')
    return phases({ deployment, pushedAt: 0 })
  })
}

const canary: Chapter = async (stage, { chapter, step }) => {
  chapter('A canary at 20 %, then promoted')
  const users = Array.from({ length: 1000 }, (_, index) => `user-${index}`)
  const share = async (): Promise<Set<string>> => {
    const onCanary = new Set<string>()
    for (const user of users) {
      const { body } = await stage.request('GET', path, { user })
      if (greetingSchema.parse(body).text.startsWith('Welcome')) onCanary.add(user)
    }
    return onCanary
  }
  let first = new Set<string>()
  await step('about a fifth of 1,000 users meet the new code', async () => {
    await writeGreeting(stage.playground.directories.work, 'Welcome')
    stage.playground.startCanariesAt(20)
    const landing = await stage.push('Welcome people')
    stage.playground.startCanariesAt(undefined)
    expectEqual(landing.deployment.failed, null, landing.deployment.runs.publish?.output ?? '')
    await stage.until(async () => (await share()).size > 0, landing.pushedAt)
    first = await share()
    expectThat(first.size > 150 && first.size < 250, `${first.size} of 1,000 users met it`)
    return `${first.size} of 1,000 users`
  })
  await step('and the very same users the next time', async () => {
    expectEqual(await share(), first, 'users on the canary')
    return ''
  })
  await step('needle promote: everybody', async () => {
    const started = performance.now()
    await stage.operate('promote', name, '--reason', 'the canary is fine')
    const took = await stage.until(async () => (await share()).size === users.length, started)
    return `live for all after ${seconds(took)}`
  })
}

const rollback: Chapter = async (stage, { chapter, step }) => {
  chapter('A bad change that passed its tests is rolled back by an operator')
  await step('it is live', async () => {
    await writeGreeting(stage.playground.directories.work, 'Oops')
    return live(stage, await stage.push('Greet with a joke'), 'Oops, Ada!')
  })
  await step('needle rollback, with an operator key, without Git or GitHub', async () => {
    const started = performance.now()
    await stage.operate('rollback', name, '--to', 'previous', '--reason', 'nobody laughed')
    const took = await stage.until(served(stage, 'Welcome, Ada!'), started)
    return `stopped after ${seconds(took)}`
  })
  await step('an unrelated merge does not bring it back', async () => {
    await stage.edit('functions/shop/listing/README.md', '\n', '\n\n')
    await stage.push('Touch a page')
    expectEqual((await greet(stage)).body, { text: 'Welcome, Ada!' }, 'served')
    expectEqual(await holdReason(stage), 'nobody laughed', 'the hold')
    return `held: ${await holdReason(stage)}`
  })
}

const reversal: Chapter = async (stage, { chapter, step }) => {
  chapter('Git says the same: the change is reverted')
  await step('nothing is built or tested anew, and the hold ends', async () => {
    const { work } = stage.playground.directories
    await writeGreeting(work, 'Welcome')
    const landing = await stage.push('Revert "Greet with a joke"')
    expectEqual(landing.deployment.failed, null, landing.deployment.runs.publish?.output ?? '')
    expectEqual(await builtCount(stage), 0, 'functions built')
    expectEqual(await holdReason(stage), null, 'the hold')
    return phases(landing)
  })
  await step('a second revert goes live from what is already published', async () => {
    await writeGreeting(stage.playground.directories.work, 'Good morning')
    const landing = await stage.push('Back to the morning')
    expectEqual(await builtCount(stage), 0, 'functions built')
    return live(stage, landing, 'Good morning, Ada!')
  })
}

/** In the order of the story. */
export const chapters: readonly Chapter[] = [addition, change, refusal, canary, rollback, reversal]

function greet(stage: Stage): Promise<Answer> {
  return stage.request('GET', path)
}

function served(stage: Stage, text: string): () => Promise<boolean> {
  return async () => {
    const { status, body } = await greet(stage)
    return status === 200 && greetingSchema.parse(body).text === text
  }
}

async function live(stage: Stage, landing: Landing, text: string): Promise<string> {
  expectEqual(landing.deployment.failed, null, failure(landing))
  const took = await stage.until(served(stage, text), landing.pushedAt)
  const { revision } = await greet(stage)
  return `push to served ${seconds(took)}: ${phases(landing)}\n${String(revision)}`
}

function failure({ deployment }: Landing): string {
  return deployment.failed === null ? '' : (deployment.runs[deployment.failed]?.output ?? '')
}

function phases({ deployment }: Landing): string {
  return Object.entries(deployment.runs)
    .map(([phase, run]) => `${phase} ${seconds(run.durationMs)}`)
    .join(' · ')
}

/** Why the function is held against what Git says; null when it is not. */
async function holdReason(stage: Stage): Promise<string | null> {
  const { output } = await stage.operate('status', '--json')
  const { functions } = statusSchema.parse(JSON.parse(output))
  return functions[name]?.hold?.reason ?? null
}

/** How many functions the newest build had to bundle. */
async function builtCount({ playground }: Stage): Promise<number> {
  const file = join(playground.directories.root, 'build', 'build.json')
  const build = buildSchema.parse(JSON.parse(await readFile(file, 'utf8')))
  return build.functions.filter((entry) => entry.status === 'built').length
}
