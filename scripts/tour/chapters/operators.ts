import { seconds } from '../../playground/report.ts'
import { expectEqual, expectThat } from '../expect.ts'
import { writeGreeting } from '../greeting.ts'
import { type Chapter, greet, holdReason, live, name, served } from '../greetings.ts'

export const rollback: Chapter = async (stage, { chapter, step }) => {
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

export const emergency: Chapter = async (stage, { chapter, step }) => {
  chapter('An emergency: the function is stopped, and resumed')
  const isStopped = async (): Promise<boolean> => (await greet(stage)).status === 503
  await step('needle stop, with the store and a key alone', async () => {
    const started = performance.now()
    const run = await stage.operate('stop', name, '--reason', 'it greets the wrong people')
    const took = await stage.until(isStopped, started)
    return `answers 503 after ${seconds(took)}\n${run.result}`
  })
  await step('needle resume', async () => {
    const started = performance.now()
    await stage.operate('resume', name, '--reason', 'it was the right people')
    const took = await stage.until(async () => !(await isStopped()), started)
    return `answers again after ${seconds(took)}`
  })
}

export const trace: Chapter = async (stage, { chapter, step }) => {
  chapter('Who is behind this answer?')
  await step('needle trace, with the revision the answer names', async () => {
    const { revision } = await greet(stage)
    const run = await stage.operate('trace', String(revision))
    expectThat(run.result.includes('commit'), run.result)
    return run.result
  })
}
