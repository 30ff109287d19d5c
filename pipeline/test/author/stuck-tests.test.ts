import { expect, test, vi } from 'vitest'
import { runUnitTests } from '../../src/check/unit-tests.ts'
import { survey } from '../../src/functions/survey.ts'
import { createRepository, functionFiles } from '../repository.ts'

vi.setConfig({ testTimeout: 60_000 })

const loop = `for (let count = 0; count >= 0; count = (count + 1) % 10) {}`

test.each([
  [
    'a handler that loops in its own test',
    `import { test } from 'vitest'\n\ntest('answers', () => {\n  ${loop}\n})\n`,
    /for 3 s, in one of its tests \(no end was heard of "answers"\)/,
  ],
  [
    'a hook that loops after the last test',
    `import { afterAll, test } from 'vitest'\n\ntest('answers', () => {})\n\nafterAll(async () => {\n  await new Promise((resolve) => setTimeout(resolve, 500))\n  ${loop}\n})\n`,
    /for 3 s, after the last of its tests/,
  ],
  ['a file that loops while it is loaded', `${loop}\n`, /for 3 s, while it was loaded/],
  [
    'a promise at the top level that never settles',
    `await new Promise(() => setInterval(() => {}, 1000))\n`,
    /for 3 s, while it was loaded/,
  ],
])('%s fails, and the check comes to an end', async (_, text, says) => {
  await using repository = await createRepository({
    ...functionFiles('shop/card'),
    ...functionFiles('shop/stuck'),
    'functions/shop/stuck/index.test.ts': text,
  })
  const { directory } = repository
  const { functions, tree } = await survey(directory, 'production')
  const options = { directory, env: process.env, stuckAfterMs: 3000 }
  const { issues, passed } = await runUnitTests(functions, tree, options)
  expect(issues).toEqual([
    {
      code: 'TESTS_FAILED',
      function: 'shop/stuck',
      message: expect.stringMatching(says),
      place: { file: 'functions/shop/stuck/index.test.ts', line: undefined, column: undefined },
    },
  ])
  // How many depends on the order of the files, and on how many run side by side.
  expect(passed).toBeGreaterThan(0)
})
