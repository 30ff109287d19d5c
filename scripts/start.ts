/**
 * `npm start`: the playground. A Git origin, a store, a deploy loop and a BFF on this machine; no
 * account, no network. Everything lies in `.needle/playground`; deleting that starts over.
 */
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join, relative } from 'node:path'
import { styleText } from 'node:util'
import { commandLine } from './command-line.ts'
import { playgroundDirectories, projectRoot } from './playground/directories.ts'
import { openPlayground } from './playground/playground.ts'
import { reportDeployment, reportPhase, reportPush } from './playground/report.ts'
import { printGuide } from './playground/guide.ts'
import { withLock } from './playground/lock.ts'
import { readStartOptions } from './playground/start-options.ts'

commandLine(
  'npm start',
  `The playground: a Git origin, a store, a deploy loop and a BFF on this machine.

Everything lies in .needle/playground; deleting that starts over.

PORT=<number>     of the BFF (3000, or the next free one)
CANARY=<percent>  starts changes as canaries
NEEDLE_STORE      names an S3 bucket to use instead of a directory`,
).parse()

const root = join(projectRoot, '.needle', 'playground')
const wanted = readStartOptions(process.env)
if (typeof wanted === 'string') {
  console.error(wanted)
  process.exit(2)
}

await withLock(root, async () => {
  const stop = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => stop.abort())
  }
  const goesOn = existsSync(playgroundDirectories(root).store)
  console.log(`${goesOn ? 'Going on' : 'Setting up'} in ${relative(process.cwd(), root) || '.'}`)
  const playground = await openPlayground({
    root,
    port: wanted.port,
    pollIntervalMs: 1000,
    signal: stop.signal,
    canaryPercent: wanted.canaryPercent,
    onStep: (step) => console.log(styleText('dim', `  ${step}`)),
    onPush: reportPush,
    onPhase: reportPhase,
    onDeployed: reportDeployment,
  }).catch((error: unknown) => {
    // Whatever Ctrl-C cut short fails in its own way.
    if (stop.signal.aborted) return null
    throw error
  })
  if (playground === null) {
    console.log('\nStopped before everything was up; npm start begins again.')
    return
  }
  try {
    printGuide(playground, wanted.port)
    await Promise.race([aborted(stop.signal), playground.ended])
  } finally {
    console.log('\nStopping; your work clone and the store stay as they are.')
    await playground.close()
  }
})

async function aborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort')
}
