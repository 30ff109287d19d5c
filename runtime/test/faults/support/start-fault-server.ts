import { fork } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { fileURLToPath } from 'node:url'
import type { RuntimeEvent, RuntimeStatus } from '../../../src/index.ts'
import type { InstanceReport } from '../../../src/manifest/instance-report.ts'
import type { Settings } from '../../../src/manifest/settings.ts'
import { type NodeUnderTest, nodeUnderTest } from './node-under-test.ts'

/**
 * - `proven`: serves, and is what a failing one falls back on.
 * - `stable`: serves.
 * - `canary`: serves everybody, or the share given, beside the proven one.
 */
export interface Publication {
  readonly name: string
  /** Source text of what the function exports as default. */
  readonly handler: string
  /** The whole artifact instead of one around the handler. */
  readonly script?: string
  readonly role?: 'proven' | 'stable' | 'canary'
  /** Of a canary. Default 100. */
  readonly weightPercent?: number
  readonly settings?: Partial<Settings>
}

/** A line of the host's log that is about a function. */
export interface FunctionLine {
  readonly level: string
  readonly message: string
  readonly function: string
  readonly revision: string
  readonly [field: string]: unknown
}

export interface FaultServer {
  /** Publishes a function and waits until it serves. */
  publish(publication: Publication): Promise<void>
  /** Answer and duration of a call of the function; given up after 8 seconds. */
  call(name: string): Promise<FaultAnswer>
  /** Calls these functions in one write to one connection; what comes back until it is closed. */
  pipeline(names: readonly string[]): Promise<string>
  status(): Promise<RuntimeStatus>
  /** What it told the fleet last; null before it told anything. */
  report(): Promise<InstanceReport | null>
  events(): Promise<RuntimeEvent[]>
  /** What the host's log got about functions. */
  log(): Promise<FunctionLine[]>
  /** What functions told the service `notes`, in order. */
  notes(): Promise<string[]>
  /** Calls the function is to blame for, as the metrics have it. */
  faults(name: string): Promise<number>
  /** Any other JSON the server's own routes give. */
  control(path: string, body?: unknown): Promise<unknown>
  /** Rejects with what it wrote to standard error when the process has ended, be it by `close`. */
  readonly ended: Promise<never>
  /** What the process wrote to standard error. */
  readonly stderr: string
  close(): Promise<void>
}

export interface FaultAnswer {
  /** 0 when there was none. */
  readonly status: number
  readonly code: string | null
  readonly revision: string | null
  readonly body: unknown
  readonly durationMs: number
}

/** No call may take longer, stalls included. */
const patienceMs = 8000

/** A real host in a process of its own: the test's process has hooks and threads of its own. */
export async function startFaultServer(
  options: {
    readonly limitMs?: number
    readonly node?: NodeUnderTest
    /** Source text of a module that is run before the host is. */
    readonly preload?: string
  } = {},
): Promise<FaultServer> {
  const { limitMs = 300, node = nodeUnderTest, preload = '' } = options
  const program = fileURLToPath(new URL('./fault-server.ts', import.meta.url))
  const child = fork(program, [String(limitMs)], {
    execPath: node.execPath,
    execArgv: [
      '--conditions=needle-source',
      `--import=data:text/javascript,${encodeURIComponent(preload)}`,
    ],
    stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
  })
  let stderr = ''
  child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
  // Its last words may come after it has ended.
  const heard = child.stderr === null ? null : once(child.stderr, 'close')
  const exited = once(child, 'exit').then(() => {
    throw new Error(`The server ended: ${stderr}`)
  })
  exited.catch(() => undefined)
  const [told]: { base: string }[] = await Promise.race([once(child, 'message'), exited])

  const request = async (path: string, body?: unknown): Promise<string> => {
    const response = await fetch(`${told?.base}/control/${path}`, {
      signal: AbortSignal.timeout(patienceMs),
      ...(body !== undefined && {
        method: 'POST',
        body: JSON.stringify(body),
        headers: { 'content-type': 'application/json' },
      }),
    })
    const text = await response.text()
    if (!response.ok) throw new Error(`${path}: ${response.status} ${text}`)
    return text
  }

  const status = async (): Promise<RuntimeStatus> => JSON.parse(await request('status'))
  for (let wait = 0; wait < 100 && (await status()).watchdog.mode === 'off'; wait += 1) {
    await new Promise((resolve) => setTimeout(resolve, 20))
  }

  return {
    ended: exited,
    get stderr() {
      return stderr
    },
    control: async (path, body) => JSON.parse(await request(path, body)),
    publish: async (publication) => void (await request('publish', publication)),
    status,
    report: async () => JSON.parse(await request('report')),
    events: async () => JSON.parse(await request('events')),
    log: async () => JSON.parse(await request('log')),
    notes: async () => JSON.parse(await request('notes')),
    faults: async (name) => {
      const ofFunction = new RegExp(`^faas_errors_total\\{faas_name="shop/${name}".* (\\d+)$`, 'gm')
      const counts = (await request('metrics')).matchAll(ofFunction)
      return [...counts].reduce((sum, [, count]) => sum + Number(count), 0)
    },
    call: async (name) => {
      const begunAt = performance.now()
      const ended = (answer: Omit<FaultAnswer, 'durationMs'>): FaultAnswer => ({
        ...answer,
        durationMs: performance.now() - begunAt,
      })
      try {
        const response = await fetch(`${told?.base}/shop/${name}?n=1`, {
          signal: AbortSignal.timeout(patienceMs),
        })
        const body: unknown = await response.json()
        return ended({
          status: response.status,
          code: codeOf(body),
          revision: response.headers.get('x-needle-revision'),
          body,
        })
      } catch (error) {
        return ended({ status: 0, code: String(error), revision: null, body: null })
      }
    },
    pipeline: async (names) => {
      const { hostname, port } = new URL(told?.base ?? '')
      const socket = connect({ host: hostname, port: Number(port) })
      const requests = names.map((name, at) => {
        const connection = at === names.length - 1 ? 'close' : 'keep-alive'
        return `GET /shop/${name} HTTP/1.1\r\nhost: test\r\nconnection: ${connection}\r\n\r\n`
      })
      socket.write(requests.join(''))
      let text = ''
      for await (const chunk of socket) text += String(chunk)
      return text
    },
    close: async () => {
      if (child.connected) child.disconnect()
      await exited.catch(() => undefined)
      await heard
    },
  }
}

function codeOf(body: unknown): string | null {
  if (typeof body !== 'object' || body === null || !('error' in body)) return null
  const { error } = body
  if (typeof error !== 'object' || error === null || !('code' in error)) return null
  return String(error.code)
}
