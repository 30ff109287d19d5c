import { runNeedle } from '../../playground/run-needle.ts'
import { expectEqual, expectThat } from '../expect.ts'
import { writeGreeting } from '../greeting.ts'
import { builtCount, type Chapter, greet, holdReason, live, name, phases } from '../greetings.ts'

export const addition: Chapter = async (stage, { chapter, step }) => {
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

export const change: Chapter = async (stage, { chapter, step }) => {
  chapter('It is changed')
  await step('the new text is live', async () => {
    await writeGreeting(stage.playground.directories.work, 'Good morning')
    return live(stage, await stage.push('Greet in the morning'), 'Good morning, Ada!')
  })
}

export const refusal: Chapter = async (stage, { chapter, step }) => {
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

export const reversal: Chapter = async (stage, { chapter, step }) => {
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
