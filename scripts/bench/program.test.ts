import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import * as z from 'zod'
import { startProgram } from './program.ts'

const directories: string[] = []
afterEach(async () => {
  for (const directory of directories.splice(0)) await rm(directory, { recursive: true })
})

async function programOf(source: string): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'program-'))
  directories.push(directory)
  const file = join(directory, 'program.mjs')
  await writeFile(file, source)
  return file
}

it('says why a program ended that was still needed', async () => {
  const program = startProgram(await programOf(`import 'no-such-package'`), {})
  await expect(program.receive(z.unknown())).rejects.toThrow(
    /program\.mjs ended with 1 while it was still needed: Error .*'no-such-package'/,
  )
})

it('gives up on a program that does not speak, and ends it although it does not want to', async () => {
  const deaf = `process.on('disconnect', () => {}); setInterval(() => {}, 1000)`
  const program = startProgram(await programOf(deaf), {})
  await expect(program.receive(z.unknown(), { withinMs: 50 })).rejects.toThrow(
    /program\.mjs said nothing within 50 ms/,
  )
  await program.close({ graceMs: 50 })
})
