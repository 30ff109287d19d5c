import type { Files } from './workspace.ts'

/** Names of `count` functions of the group `bench`. */
export function functionNames(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `item-${String(index).padStart(3, '0')}`)
}

/** The file whose change is a merge: a small function that says its version. */
export function functionFile(name: string, version: string): Files {
  return {
    [`functions/bench/${name}/index.ts`]: `import { defineFunction } from '@needle-faas/runtime/function'
import * as z from 'zod/mini'

const name = '${name}'
const version = '${version}'

export default defineFunction({
  input: z.object({}),
  output: z.object({ name: z.string(), version: z.string() }),
  http: { method: 'GET' },
  handler: async () => ({ name, version }),
})
`,
  }
}

/** Everything of all functions, tests and pages too. */
export function functionFiles(names: readonly string[], version: string): Files {
  const files: Record<string, string> = {}
  for (const name of names) {
    Object.assign(files, functionFile(name, version))
    files[`functions/bench/${name}/README.md`] = `# bench/${name}\n\nSays its version.\n`
    files[`functions/bench/${name}/index.test.ts`] = `import { expect, it } from 'vitest'
import definition from './index.ts'

it('says its name', async () => {
  expect(definition.http).toEqual({ method: 'GET' })
})
`
  }
  return files
}
