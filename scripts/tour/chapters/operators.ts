import { seconds } from '../../playground/report.ts'
import { expectEqual } from '../expect.ts'
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
