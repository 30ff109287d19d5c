import * as z from 'zod'
import { seconds } from '../../playground/report.ts'
import { expectEqual, expectThat } from '../expect.ts'
import { writeGreeting } from '../greeting.ts'
import { type Chapter, greetingSchema, holdReason, name, path } from '../greetings.ts'

export const canary: Chapter = async (stage, { chapter, step }) => {
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

const shown = z.object({ refusals: z.array(z.object({ code: z.string() })) })
const statusSchema = z.object({ functions: z.array(z.object({ function: z.string() }).and(shown)) })

/** Fails for everybody whose name is not in the test. */
const mistake = `
    if (name !== 'Ada') throw new Error('only Ada was tested')`

export const badCanary: Chapter = async (stage, { chapter, step }) => {
  chapter('A bad canary that passed its tests is caught by its users, who notice nothing')
  let seen = 0
  let failed = 0
  let replaced = 0
  const isTripped = async (): Promise<boolean> => {
    const { body } = await stage.request('GET', '/status')
    const { functions } = statusSchema.parse(body)
    const refusals = functions.find((each) => each.function === name)?.refusals ?? []
    return refusals.some(({ code }) => code === 'CANARY_TRIPPED')
  }
  await step('the BFF stops it after a few failures', async () => {
    await writeGreeting(stage.playground.directories.work, 'Hi', mistake)
    stage.playground.startCanariesAt(20)
    const landing = await stage.push('Greet briefly')
    stage.playground.startCanariesAt(undefined)
    expectEqual(landing.deployment.failed, null, landing.deployment.runs.publish?.output ?? '')
    await stage.until(async () => {
      for (let index = 0; index < 20; index++) {
        const user = `user-${(seen += 1)}`
        const { status, fallback } = await stage.request('GET', `/api/${name}/${user}`, { user })
        if (status !== 200) failed += 1
        if (fallback !== null) replaced += 1
      }
      return isTripped()
    }, landing.pushedAt)
    expectThat(replaced > 0 && replaced <= 20, `${replaced} calls failed on the canary`)
    return `${replaced} calls failed on the canary`
  })
  await step('each of these requests was answered by stable instead', async () => {
    expectEqual(failed, 0, 'requests that failed')
    return `${failed} of ${seen} requests failed`
  })
  await step(
    'needle rollout aborts it everywhere, and holds the function until Git moves on',
    async () => {
      const run = await stage.lookAtRollouts()
      expectThat((await holdReason(stage)) !== null, `it is held:\n${run.output}`)
      return run.result
    },
  )
}
