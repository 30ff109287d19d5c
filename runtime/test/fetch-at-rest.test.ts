import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'

it("loads Node's fetch for the first function that needs it, before it is called, and for nothing else", async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--conditions=needle-source',
    fileURLToPath(new URL('./support/fetch-at-rest.ts', import.meta.url)),
  ])
  expect(JSON.parse(stdout)).toEqual({
    imported: false,
    answered: false,
    'loaded a function that needs it': true,
  })
})
