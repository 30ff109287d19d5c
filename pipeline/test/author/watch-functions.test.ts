import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { watchFunctions } from '../../src/dev/watch-functions.ts'

const steps = Array.from({ length: 10 }, (_, step) => step * 8)

test.each(steps)('ends when it is told to %d ms after a change', async (ms) => {
  const directory = await mkdtemp(join(tmpdir(), 'needle-watch-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  await mkdir(join(directory, 'functions'))
  const stop = new AbortController()
  const changes = await watchFunctions(directory, stop.signal)
  const ended = (async () => {
    for await (const _change of changes);
    return 'ended'
  })()
  await writeFile(join(directory, 'functions/index.ts'), '')
  await delay(ms)
  stop.abort()
  expect(await Promise.race([ended, delay(10_000, 'goes on')])).toBe('ended')
})
