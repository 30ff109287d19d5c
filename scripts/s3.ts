import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { parseArgs } from 'node:util'
import { startCeph } from './s3/start-ceph.ts'

const usage = `npm run s3 -- [--base-dir <short directory>] [--port <number>] [--exec "<command>"]

Starts a real S3 server (Ceph object gateway, in memory, on 127.0.0.1 only) with an empty bucket.
With --exec it runs the command against it, stops, and exits with the command's code.`

process.exitCode = await main()

async function main(): Promise<number> {
  const options = readOptions()
  if (typeof options === 'number') return options
  const interrupted = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => interrupted.abort())
  }
  const { signal } = interrupted
  try {
    const startedAt = performance.now()
    const gateway = await startCeph({ ...options, signal })
    try {
      const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
      console.log(`Ceph gateway ready after ${seconds} s at ${gateway.endpoint}`)
      if (options.exec !== undefined) return await execute(options.exec, gateway.env, signal)
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

function readOptions():
  | {
      readonly baseDir: string | undefined
      readonly port: number | undefined
      readonly exec: string | undefined
    }
  | number {
  try {
    const { values } = parseArgs({
      options: {
        'base-dir': { type: 'string' },
        port: { type: 'string' },
        exec: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    })
    if (values.help) {
      console.log(usage)
      return 0
    }
    const port = values.port === undefined ? undefined : Number(values.port)
    if (port !== undefined && !(Number.isInteger(port) && port > 1023 && port < 65_493)) {
      throw new Error('--port must be a number from 1024 to 65492')
    }
    return { baseDir: values['base-dir'], port, exec: values.exec }
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`)
    return 2
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
