import { setTimeout as delay } from 'node:timers/promises'
import { getHeapStatistics } from 'node:v8'
import { artifactOf, loadFixture } from './revision-fixture.ts'
import type { SwapMemory } from './run-swap-leak.ts'

/**
 * `node --expose-gc … swap-leak.ts [swaps]`: loads, calls and disposes of a function of 2 MB, as
 * much source as data, that never clears its timers or listeners, over and over (60 times), and
 * prints what it holds after collections, ten times on the way, as JSON. Each swap has a source of
 * its own, so that no compilation is shared.
 */
const swaps = Number(process.argv[2] ?? 60)

/** A disposed revision someone still holds may not hold its context either. */
const disposed: unknown[] = []

const filler = 'x'.repeat(2 * 2 ** 20)

async function swap(index: number): Promise<void> {
  const { revision, invoke } = await loadFixture(
    artifactOf(`(() => {
      const text = '${index}${filler}'
      const held = new Array(250000).fill(${index})
      setInterval(() => held.length, 1_000_000)
      return async (input, { signal }) => {
        signal.addEventListener('abort', () => held)
        setTimeout(() => held, 1_000_000)
        return held.length + text.length
      }
    })()`),
  )
  const { status } = await invoke()
  if (status !== 200) throw new Error(`the call answered ${status}`)
  revision.dispose()
  disposed.push(revision)
}

async function measure(afterSwaps: number): Promise<SwapMemory> {
  // Contexts take several collections with turns of the loop between them.
  for (let round = 0; round < 4; round += 1) {
    globalThis.gc?.()
    await delay(5)
  }
  const { heapUsed, external, rss } = process.memoryUsage()
  return {
    afterSwaps,
    heapMb: heapUsed / 2 ** 20,
    externalMb: external / 2 ** 20,
    rssMb: rss / 2 ** 20,
    contexts: getHeapStatistics().number_of_native_contexts,
  }
}

/** Until then V8 still gives up code of the start (4 MB of heap), and the allocator what it took at first. */
const warmUpSwaps = 40

for (let index = 0; index < warmUpSwaps; index += 1) await swap(index)
const series = [await measure(0)]
for (let index = 1; index <= swaps; index += 1) {
  await swap(warmUpSwaps + index)
  if (index % Math.ceil(swaps / 10) === 0 || index === swaps) series.push(await measure(index))
}
process.stdout.write(`${JSON.stringify(series, null, 1)}\n`)
