import { fork, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import type * as z from 'zod'

export interface Program {
  /** The next message the program sends, checked. */
  receive<Message>(schema: z.ZodType<Message>): Promise<Message>
  send(message: object): void
  close(): Promise<void>
}

export interface ProgramOptions {
  /** Index of the only core it may run on; ignored where processes cannot be pinned. Default: any. */
  readonly core?: number
  readonly env?: Readonly<Record<string, string>>
  readonly nodeOptions?: readonly string[]
}

/** Whether processes can be kept to a core of their own here: Linux's `taskset` and two cores. */
export const canPin =
  availableParallelism() > 1 && spawnSync('taskset', ['-c', '0', 'true']).status === 0

/** Starts a TypeScript program as a child with a message channel. */
export function startProgram(file: string, options: ProgramOptions): Program {
  const nodeArgs = ['--conditions=needle-source', ...(options.nodeOptions ?? [])]
  const child = fork(file, {
    ...(canPin && options.core !== undefined
      ? {
          execPath: 'taskset',
          execArgv: ['-c', String(options.core), process.execPath, ...nodeArgs],
        }
      : { execArgv: nodeArgs }),
    env: { PATH: process.env['PATH'], ...options.env },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const exit = once(child, 'exit')
  const failed = exit.then(([code, signal]): never => {
    throw new Error(`${file} ended with ${String(signal ?? code)} while it was still needed`)
  })
  // Only a receiver that waits is interested; without one an exit is how it should end.
  failed.catch(() => undefined)
  return {
    async receive(schema) {
      const [message]: unknown[] = await Promise.race([once(child, 'message'), failed])
      return schema.parse(message)
    },
    send: (message) => void child.send(message),
    async close() {
      if (child.connected) child.disconnect()
      await exit
    },
  }
}
