import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import * as z from 'zod'

const seriesSchema = z.array(z.object({ heapMb: z.number(), rssMb: z.number() }))

// nodejs/node#63186, nodejs/node#33439, module-federation/core#5030
it('keeps heap and resident memory flat over 60 swaps of a 2 MB function with timers nobody clears', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--expose-gc',
    '--conditions=needle-source',
    fileURLToPath(new URL('./testing/swap-leak.ts', import.meta.url)),
  ])
  const series = seriesSchema.parse(JSON.parse(stdout))
  const [first, last] = [series.at(0), series.at(-1)]
  // Kept whole, sources and data would be 240 MB.
  expect((last?.heapMb ?? Infinity) - (first?.heapMb ?? 0)).toBeLessThan(6)
  expect((last?.rssMb ?? Infinity) - (first?.rssMb ?? 0)).toBeLessThan(150)
}, 60_000)
