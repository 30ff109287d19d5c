import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import * as z from 'zod'

// nodejs/node#63186, nodejs/node#33439, module-federation/core#5030
it('keeps the heap flat over 60 swaps of a 2 MB function with timers nobody clears', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--expose-gc',
    '--conditions=needle-source',
    fileURLToPath(new URL('./testing/swap-leak.ts', import.meta.url)),
  ])
  const { before, after } = z
    .object({ before: z.number(), after: z.number() })
    .parse(JSON.parse(stdout))
  expect(after - before).toBeLessThan(6)
}, 60_000)
