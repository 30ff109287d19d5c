import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it, onTestFinished } from 'vitest'

const runFile = promisify(execFile)
const root = join(import.meta.dirname, '..')

it('serves, and finds the thread of its watchdog, when it is built', async () => {
  // Where its libraries are found.
  const directory = await mkdtemp(join(root, 'dist-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  await runFile(process.execPath, [join(root, 'build.ts'), directory])
  const host = fileURLToPath(new URL('./support/built-host.ts', import.meta.url))
  const args = ['--conditions=needle-source', host, directory]
  const { stdout } = await runFile(process.execPath, args, { timeout: 20_000 })
  expect(JSON.parse(stdout)).toEqual({ status: 504, errorCode: 'FUNCTION_RUNAWAY' })
})

it("brings what it uses of zod, without its languages, and zod's license", async () => {
  const directory = await mkdtemp(join(root, 'dist-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  await runFile(process.execPath, [join(root, 'build.ts'), directory])
  const files = await readdir(directory)
  const scripts = files.filter((file) => file.endsWith('.js'))
  const texts = await Promise.all(scripts.map((file) => readFile(join(directory, file), 'utf8')))
  expect(texts.filter((text) => /from "zod/.test(text))).toEqual([])
  expect(texts.join('').match(/zod\/v4\/locales\/\w+/g)).toEqual(['zod/v4/locales/en'])
  expect(await readFile(join(directory, 'zod.LICENSE'), 'utf8')).toContain('Permission is hereby')
})
