import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/**
 * The function the tour writes: what a person would type after `needle new`. With a mistake that its
 * test does not find, because the test greets Ada.
 */
export async function writeGreeting(work: string, greeting: string, mistake = ''): Promise<void> {
  const folder = join(work, 'functions', 'shop', 'greeting')
  await writeFile(
    join(folder, 'index.ts'),
    `import { defineFunction } from '@needle-faas/runtime/function'
import * as z from 'zod/mini'

export default defineFunction({
  input: z.object({ name: z.string() }),
  output: z.object({ text: z.string() }),
  http: { method: 'GET', path: '/shop/greeting/:name' },
  async handler({ name }) {${mistake}
    return { text: \`${greeting}, \${name}!\` }
  },
})
`,
  )
  await writeFile(
    join(folder, 'index.test.ts'),
    `import { callFunction } from '@needle-faas/runtime/testing'
import { expect, test } from 'vitest'
import greeting from './index.ts'

test('greets by name', async () => {
  const { status, body } = await callFunction(greeting, { params: { name: 'Ada' } })
  expect(status).toBe(200)
  expect(body).toEqual({ text: expect.stringMatching(/^(Hello|Good morning|Welcome|Hi|Oops), Ada!$/) })
})
`,
  )
}
