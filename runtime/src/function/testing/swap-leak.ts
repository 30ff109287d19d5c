import { setTimeout as delay } from 'node:timers/promises'
import { artifactOf, loadFixture } from './revision-fixture.ts'

/**
 * `node --expose-gc … swap-leak.ts [swaps]`: loads, calls and disposes of a function of 2 MB, as
 * much source as data, that never clears its timers or listeners, over and over (60 times), and
 * prints heap and resident memory in MB after collections, ten times on the way, as JSON. Each swap
 * has a source of its own, so that no compilation is shared.
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

interface Memory {
  readonly afterSwaps: number
  readonly heapMb: number
  readonly rssMb: number
}

async function measure(afterSwaps: number): Promise<Memory> {
  // Contexts take several collections with turns of the loop between them.
  for (let round = 0; round < 4; round += 1) {
    globalThis.gc?.()
    await delay(5)
  }
  const { heapUsed, rss } = process.memoryUsage()
  return { afterSwaps, heapMb: heapUsed / 2 ** 20, rssMb: rss / 2 ** 20 }
}

for (let index = 0; index < 10; index += 1) await swap(index)
const series = [await measure(0)]
for (let index = 1; index <= swaps; index += 1) {
  await swap(index)
  if (index % Math.ceil(swaps / 10) === 0 || index === swaps) series.push(await measure(index))
}
process.stdout.write(`${JSON.stringify(series, null, 1)}\n`)
