import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { commandLine, wholeNumber } from './command-line.ts'
import { startCeph } from './s3/start-ceph.ts'

interface S3Options {
  readonly baseDir?: string
  readonly port?: number
  readonly exec?: string
}

const options = commandLine(
  'npm run s3',
  'Starts a real S3 server (Ceph object gateway, in memory, on 127.0.0.1 only) with an empty bucket.',
)
  .option('--base-dir <path>', 'where it keeps its files for as long as it runs; a short path')
  .option('--port <number>', 'of the server; a free one when left out', wholeNumber(1024, 65_492))
  .option('--exec <command>', 'run this against it, stop, and exit with its code')
  .parse()
  .opts<S3Options>()

process.exitCode = await main(options)

async function main({ exec, baseDir, port }: S3Options): Promise<number> {
  const interrupted = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => interrupted.abort())
  }
  const { signal } = interrupted
  try {
    const startedAt = performance.now()
    const gateway = await startCeph({ baseDir, port, signal })
    try {
      const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
      console.log(`Ceph gateway ready after ${seconds} s at ${gateway.endpoint}`)
      if (exec !== undefined) return await execute(exec, gateway.env, signal)
      console.log(`\nIn another terminal:\n\n${exportLines(gateway.env)}\n\nCtrl-C stops it.`)
      if (!signal.aborted) {
        // A pending promise alone keeps no process alive.
        const alive = setInterval(() => undefined, 60_000)
        await once(signal, 'abort')
        clearInterval(alive)
      }
    } finally {
      await gateway.stop()
    }
    console.log('Stopped.')
    return 0
  } catch (error) {
    if (signal.aborted) return 130
    console.error(error instanceof Error ? error.message : error)
    return 1
  }
}

async function execute(
  command: string,
  env: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<number> {
  const child = spawn(command, {
    shell: true,
    stdio: 'inherit',
    env: { ...process.env, ...env },
  })
  // Ctrl-C in a terminal reaches the child by itself; a signal sent to us alone does not.
  signal.addEventListener('abort', () => child.kill(), { once: true })
  const [code] = await once(child, 'exit')
  return typeof code === 'number' ? code : 130
}

function exportLines(env: Readonly<Record<string, string>>): string {
  return Object.entries(env)
    .map(([name, value]) => `export ${name}='${value}'`)
    .join('\n')
}
