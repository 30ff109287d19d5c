/**
 * `npm run tour`: the main story, by itself and on real parts, each step with its measured time.
 * Exits 0 only when every step did what it says. `NEEDLE_STORE` moves it to an S3 bucket.
 */
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { commandLine } from './command-line.ts'
import { createDeploymentQueue } from './playground/deployment-queue.ts'
import { projectRoot } from './playground/directories.ts'
import { openPlayground, type Playground } from './playground/playground.ts'
import { chapters } from './tour/chapters.ts'
import { expectEqual } from './tour/expect.ts'
import { createNarrator } from './tour/narrator.ts'
import { createStage } from './tour/stage.ts'

commandLine(
  'npm run tour',
  `The main story, by itself and on real parts, each step with its measured time.

NEEDLE_STORE moves it to an S3 bucket.`,
).parse()

const root = join(projectRoot, '.needle', `tour-${process.pid}`)
const narrator = createNarrator(console.log)
const started = performance.now()

const stop = new AbortController()
process.once('SIGINT', () => stop.abort())
const deployments = createDeploymentQueue()
let playground: Playground | undefined

try {
  narrator.chapter('A playground: Git origin, store, keys, deploy loop and a BFF')
  await narrator.step(
    'the example functions are checked, built, published and served',
    async () => {
      playground = await openPlayground({
        root,
        port: 3000,
        pollIntervalMs: 1000,
        // It tells the story itself, and errors are part of it.
        logLevel: 'silent',
        signal: stop.signal,
        onDeployed: deployments.push,
      })
      const { failed, runs } = await deployments.next()
      if (failed !== null) throw new Error(runs[failed]?.output)
      const card = await fetch(`${playground.bff.url}/api/shop/card/p-100`)
      expectEqual(card.status, 200, 'GET /api/shop/card/p-100')
      return `${playground.bff.url}, store ${String(playground.store['NEEDLE_STORE'])}`
    },
  )
  if (playground === undefined) throw new Error('The playground did not open')
  const stage = createStage(playground, deployments.next)
  for (const chapter of chapters) {
    stop.signal.throwIfAborted()
    await Promise.race([chapter(stage, narrator), broken(playground.ended)])
  }
  const took = ((performance.now() - started) / 1000).toFixed(1)
  console.log(`\n${narrator.stepsDone} steps, all as they say, in ${took} s`)
  await playground.close()
  await rm(root, { recursive: true, force: true })
} catch (error) {
  await playground?.close()
  if (stop.signal.aborted) {
    await rm(root, { recursive: true, force: true })
    process.exit(130)
  }
  console.error(error instanceof Error ? error.message : error)
  console.error(`\nThe tour ended after ${narrator.stepsDone} steps. Its files: ${root}`)
  process.exit(1)
}

async function broken(ended: Promise<void>): Promise<never> {
  await ended
  throw new Error('The playground ended by itself')
}
