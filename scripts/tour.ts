/**
 * `npm run tour`: the main story, by itself and on real parts, each step with its measured time.
 * Exits 0 only when every step did what it says. `NEEDLE_STORE` moves it to an S3 bucket.
 */
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Deployment } from './playground/deploy.ts'
import { projectRoot } from './playground/directories.ts'
import { openPlayground } from './playground/playground.ts'
import { chapters } from './tour/chapters.ts'
import { createNarrator } from './tour/narrator.ts'
import { createStage } from './tour/stage.ts'

const root = join(projectRoot, '.needle', `tour-${process.pid}`)
const narrator = createNarrator(console.log)
const started = performance.now()

let deployed = Promise.withResolvers<Deployment>()
let playground: Awaited<ReturnType<typeof openPlayground>> | undefined
process.once('SIGINT', () => void finish(130))

try {
  narrator.chapter('A playground: Git origin, store, keys, deploy loop and a BFF')
  await narrator.step(
    'the example functions are checked, built, published and served',
    async () => {
      playground = await openPlayground({
        root,
        port: 3000,
        pollIntervalMs: 1000,
        onDeployed: (deployment) => {
          const previous = deployed
          deployed = Promise.withResolvers()
          previous.resolve(deployment)
        },
      })
      const { failed, runs } = await Promise.race([deployed.promise, broken(playground.ended)])
      if (failed !== null) throw new Error(runs[failed]?.output)
      return `${playground.bff.url}, store ${String(playground.store['NEEDLE_STORE'])}`
    },
  )
  if (playground === undefined) throw new Error('The playground did not open')
  const stage = createStage(playground, () => deployed.promise)
  for (const chapter of chapters) await chapter(stage, narrator)
  const took = ((performance.now() - started) / 1000).toFixed(1)
  console.log(`\n${narrator.stepsDone} steps, all as they say, in ${took} s`)
  await finish(0)
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  console.error(`\nThe tour ended after ${narrator.stepsDone} steps. Its files: ${root}`)
  await playground?.close()
  process.exit(1)
}

async function broken(ended: Promise<void>): Promise<never> {
  await ended
  throw new Error('The playground ended by itself')
}

async function finish(exitCode: number): Promise<void> {
  await playground?.close()
  await rm(root, { recursive: true, force: true })
  process.exit(exitCode)
}
