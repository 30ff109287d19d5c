import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { openSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

export interface Daemon {
  readonly name: string
  readonly pid: number | undefined
  /** Whether it has ended by itself or was stopped. */
  readonly ended: boolean
  /** Asks it to end, kills it after two seconds, and waits until it is gone. */
  stop(): Promise<void>
}

/**
 * Starts a program that serves until stopped, its output in `logFile`. In a process group of its
 * own, so that Ctrl-C reaches us and not it; and the kernel ends it when we are killed.
 */
export function startDaemon(
  program: string,
  args: readonly string[],
  options: { readonly logFile: string; readonly env: NodeJS.ProcessEnv },
): Daemon {
  const log = openSync(options.logFile, 'a')
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', program, ...args], {
    env: options.env,
    detached: true,
    stdio: ['ignore', log, log],
  })
  let ended = false
  const exit = once(child, 'exit').then(
    () => (ended = true),
    () => (ended = true),
  )
  return {
    name: program,
    pid: child.pid,
    get ended() {
      return ended
    },
    async stop() {
      if (!ended) child.kill('SIGTERM')
      await Promise.race([exit, sleep(2_000, undefined, { ref: false })])
      if (!ended) await kill(child, exit)
    },
  }
}

async function kill(child: ChildProcess, exit: Promise<unknown>): Promise<void> {
  child.kill('SIGKILL')
  await exit
}
