import { setTimeout as delay } from 'node:timers/promises'
import { artifactOf, loadFixture } from './revision-fixture.ts'

/**
 * Run with `--expose-gc`: loads, calls and disposes of a function that holds about 2 MB and never
 * clears its interval, over and over, and prints the heap before and after as JSON.
 */
const swaps = 60

/** A disposed revision someone still holds may not hold its context either. */
const disposed: unknown[] = []

async function swap(index: number): Promise<void> {
  const { revision, invoke } = await loadFixture(
    artifactOf(`(() => {
      const held = new Array(250000).fill(${index})
      setInterval(() => held.length, 1_000_000)
      return async (input, { signal }) => {
        signal.addEventListener('abort', () => held)
        setTimeout(() => held, 1_000_000)
        return held.length
      }
    })()`),
  )
  const { status } = await invoke()
  if (status !== 200) throw new Error(`the call answered ${status}`)
  revision.dispose()
  disposed.push(revision)
}

async function heapMegabytes(): Promise<number> {
  for (let round = 0; round < 4; round += 1) {
    globalThis.gc?.()
    await delay(5)
  }
  return process.memoryUsage().heapUsed / 2 ** 20
}

for (let index = 0; index < 5; index += 1) await swap(index)
const before = await heapMegabytes()
for (let index = 0; index < swaps; index += 1) {
  await swap(index)
  if (index % 10 === 0) globalThis.gc?.()
}
const after = await heapMegabytes()
process.stdout.write(JSON.stringify({ swaps, before, after }))
