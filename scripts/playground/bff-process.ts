import { fork } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { join } from 'node:path'
import * as z from 'zod'
import { type PlaygroundDirectories, projectRoot } from './directories.ts'
import type { StoreEnv } from './store-access.ts'

export interface BffProcess {
  /** `http://127.0.0.1:<port>` */
  readonly url: string
  readonly port: number
  /** Rejects when the process ends without being asked to. */
  readonly ended: Promise<void>
  close(): Promise<void>
}

export interface BffOptions {
  readonly directories: PlaygroundDirectories
  readonly store: StoreEnv
  readonly port: number
  readonly pollIntervalMs: number
  /** From which level on it logs. Default: `warn`. */
  readonly logLevel?: string | undefined
}

/** Starts the BFF in a process of its own, with the store's address and the trust root, and no key. */
export async function startBff(options: BffOptions): Promise<BffProcess> {
  const { directories } = options
  const child = fork(join(projectRoot, 'scripts', 'playground', 'bff.ts'), {
    execArgv: ['--conditions=needle-source'],
    cwd: directories.root,
    env: {
      PATH: process.env['PATH'],
      ...options.store,
      NEEDLE_TRUST: join(directories.keys, 'trust-root.json'),
      NEEDLE_CACHE: directories.cache,
      PORT: String(options.port),
      POLL_INTERVAL_MS: String(options.pollIntervalMs),
      ...(options.logLevel !== undefined && { LOG_LEVEL: options.logLevel }),
    },
    // In a group of its own, so that Ctrl-C reaches it through us and in order.
    detached: true,
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  let closing = false
  const exit = once(child, 'exit')
  const failed = async (): Promise<never> => {
    const [code] = await exit
    throw new Error(`The BFF ended by itself with exit code ${String(code)}`)
  }
  const [message] = await Promise.race([once(child, 'message'), failed()])
  const { port } = listeningSchema.parse(message)
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    ended: exit.then(() => (closing ? undefined : failed())),
    async close() {
      closing = true
      if (child.exitCode === null) child.kill('SIGTERM')
      await exit
    },
  }
}

const listeningSchema = z.object({ port: z.int() })

/** `wanted`, or the next port above it that is free on loopback. */
export async function freePort(wanted: number): Promise<number> {
  for (let port = wanted; port < wanted + 100; port++) {
    if (await isFree(port)) return port
  }
  throw new Error(`No port from ${wanted} to ${wanted + 99} is free; pass another with PORT=…`)
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer()
    probe.once('error', () => resolve(false))
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)))
  })
}
