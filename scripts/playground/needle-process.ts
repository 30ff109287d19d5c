import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import * as z from 'zod'
import { inheritedEnv, type NeedleRun } from './run-needle.ts'

/** A process that stays and runs one `needle` command after the other, without starting up for each. */
export interface NeedleProcess {
  /** A failing command is a result; aborting ends the process with it, and the next run starts anew. */
  run(args: readonly string[], options: { cwd: string; signal?: AbortSignal }): Promise<NeedleRun>
  close(): Promise<void>
}

/** @param env All it knows besides PATH, HOME and TERM. */
export function createNeedleProcess(env: Readonly<Record<string, string>>): NeedleProcess {
  let child: ChildProcess | null = null

  const close = async (): Promise<void> => {
    const running = child
    child = null
    if (running === null || running.exitCode !== null || running.signalCode !== null) return
    const exited = once(running, 'exit')
    running.kill('SIGKILL')
    await exited
  }

  return {
    close,
    async run(args, { cwd, signal }) {
      signal?.throwIfAborted()
      const startedAt = performance.now()
      child ??= start(env)
      const running = child
      const settled = new AbortController()
      const listening = { signal: settled.signal }
      try {
        running.send({ args, cwd })
        const [message] = await Promise.race([
          once(running, 'message', listening),
          once(running, 'exit', listening).then(([code]) => [
            {
              exitCode: code ?? 1,
              output: `needle ${args.join(' ')} ended its process`,
              result: '',
            },
          ]),
          ...(signal === undefined ? [] : [once(signal, 'abort', listening).then(() => [null])]),
        ])
        signal?.throwIfAborted()
        return { ...answerSchema.parse(message), durationMs: performance.now() - startedAt }
      } finally {
        settled.abort()
        if (signal?.aborted) await close()
        if (running.exitCode !== null) child = null
      }
    },
  }
}

const answerSchema = z.object({ exitCode: z.int(), output: z.string(), result: z.string() })

function start(env: Readonly<Record<string, string>>): ChildProcess {
  return fork(join(import.meta.dirname, 'needle-server.ts'), {
    execArgv: ['--conditions=needle-source'],
    env: { ...inheritedEnv(), ...env },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
}
