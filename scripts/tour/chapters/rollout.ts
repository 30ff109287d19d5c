import { seconds } from '../../playground/report.ts'
import { expectEqual, expectThat } from '../expect.ts'
import { writeGreeting } from '../greeting.ts'
import { type Chapter, greetingSchema, name, path } from '../greetings.ts'

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
