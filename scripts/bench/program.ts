import { fork, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import type { Readable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import type * as z from 'zod'

export interface Program {
  /**
   * The next message the program sends, checked; waits for it as long as it takes unless told
   * otherwise.
   *
   * @throws Error with what the program complained of when it ends instead, or when time is up
   */
  receive<Message>(
    schema: z.ZodType<Message>,
    limit?: { readonly withinMs: number },
  ): Promise<Message>
  send(message: object): void
  /** Lets the program end; kills it when it has not within `graceMs`, by default never. */
  close(options?: { readonly graceMs: number }): Promise<void>
}

export interface ProgramOptions {
  /** Index of the only core it may run on; ignored where processes cannot be pinned. Default: any. */
  readonly core?: number
  readonly env?: Readonly<Record<string, string>>
  readonly nodeOptions?: readonly string[]
  /** Takes the workspace's packages as they are built, not from source. */
  readonly isBuilt?: boolean
}

/** Whether processes can be kept to a core of their own here: Linux's `taskset` and two cores. */
export const canPin =
  availableParallelism() > 1 && spawnSync('taskset', ['-c', '0', 'true']).status === 0

/** Starts a program as a child with a message channel. */
export function startProgram(file: string, options: ProgramOptions): Program {
  const { isBuilt = false, nodeOptions = [] } = options
  const nodeArgs = [...(isBuilt ? [] : ['--conditions=needle-source']), ...nodeOptions]
  const child = fork(file, {
    ...(canPin && options.core !== undefined
      ? {
          execPath: 'taskset',
          execArgv: ['-c', String(options.core), process.execPath, ...nodeArgs],
        }
      : { execArgv: nodeArgs }),
    env: { PATH: process.env['PATH'], ...options.env },
    stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
  })
  const complaint = passOn(child.stderr)
  const exit = once(child, 'exit')
  const failed = exit.then(async ([code, signal]): Promise<never> => {
    const why = await complaint()
    throw new Error(`${file} ended with ${String(signal ?? code)} while it was still needed${why}`)
  })
  // Only a receiver that waits is interested; without one an exit is how it should end.
  failed.catch(() => undefined)
  return {
    async receive(schema, limit) {
      const signal = limit && AbortSignal.timeout(limit.withinMs)
      try {
        const next = once(child, 'message', signal && { signal })
        const [message]: unknown[] = await Promise.race([next, failed])
        return schema.parse(message)
      } catch (error) {
        if (signal?.aborted !== true) throw error
        throw new Error(`${file} said nothing within ${limit?.withinMs} ms`, { cause: error })
      }
    },
    send: (message) => void child.send(message),
    async close(grace) {
      if (child.connected) child.disconnect()
      const timer = grace && setTimeout(() => child.kill('SIGKILL'), grace.graceMs)
      await exit
      clearTimeout(timer)
    },
  }
}

const keptCharacters = 8192

/** Shows what a program complains of, and yields the error among the last of it, once it has ended. */
function passOn(stderr: Readable | null): () => Promise<string> {
  if (stderr === null) return async () => ''
  let said = ''
  stderr.setEncoding('utf8').on('data', (text: string) => {
    process.stderr.write(text)
    said = (said + text).slice(-keptCharacters)
  })
  // A descendant may outlive the program and hold its end of the pipe.
  const read = once(stderr, 'end')
  return async () => {
    await Promise.race([read, delay(500, undefined, { ref: false })])
    const error = /^(?:\w*Error\b|error:).*$/im.exec(said)?.[0]
    return error === undefined ? '' : `: ${error}`
  }
}
