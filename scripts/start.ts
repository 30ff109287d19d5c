/**
 * `npm start`: the playground. A Git origin, a store, a deploy loop and a BFF on this machine; no
 * account, no network. Everything lies in `.needle/playground`; deleting that starts over.
 */
import { once } from 'node:events'
import { join, relative } from 'node:path'
import { styleText } from 'node:util'
import { projectRoot } from './playground/directories.ts'
import { openPlayground, PlaygroundStopped } from './playground/playground.ts'
import { reportDeployment, reportPush } from './playground/report.ts'
import { printGuide } from './playground/guide.ts'
import { withLock } from './playground/lock.ts'

const root = join(projectRoot, '.needle', 'playground')
const wantedPort = Number(process.env['PORT'] ?? 3000)

await withLock(root, async () => {
  const stop = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => stop.abort())
  }
  console.log(`Setting up in ${relative(process.cwd(), root) || '.'}`)
  const playground = await openPlayground({
    root,
    port: wantedPort,
    pollIntervalMs: 1000,
    signal: stop.signal,
    ...(process.env['CANARY'] !== undefined && { canaryPercent: Number(process.env['CANARY']) }),
    onStep: (step) => console.log(styleText('dim', `  ${step}`)),
    onPush: reportPush,
    onDeployed: reportDeployment,
  }).catch((error: unknown) => {
    if (error instanceof PlaygroundStopped) return null
    throw error
  })
  if (playground === null) return
  try {
    printGuide(playground, wantedPort)
    await Promise.race([aborted(stop.signal), playground.ended])
  } finally {
    console.log('\nStopping; your work clone and the store stay as they are.')
    await playground.close()
  }
})

async function aborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort')
}
