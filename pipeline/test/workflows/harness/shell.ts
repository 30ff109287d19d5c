import { spawn } from 'node:child_process'
import { writeFile } from 'node:fs/promises'

/**
 * How GitHub starts each `shell:`; without one it is bash that stops at the first error but not
 * inside a pipe.
 * https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#jobsjob_idstepsshell
 */
const shells: Readonly<Record<string, readonly string[]>> = {
  '': ['bash', '-e'],
  bash: ['bash', '--noprofile', '--norc', '-eo', 'pipefail'],
  sh: ['sh', '-e'],
}

export interface Script {
  readonly text: string
  /** As in the workflow file; empty when it names none. */
  readonly shell: string
  /** Where the script is written before it is started. */
  readonly file: string
  readonly cwd: string
  /** The whole environment: nothing of this process's own is added. */
  readonly env: Readonly<Record<string, string>>
  readonly signal?: AbortSignal | undefined
}

/** Runs a script to its end; `log` is output and errors in the order they came. */
export async function runScript(script: Script): Promise<{ exitCode: number; log: string }> {
  const command = shells[script.shell]
  if (command === undefined) throw new Error(`shell "${script.shell}" is not played here`)
  await writeFile(script.file, script.text)
  const [program = 'bash', ...args] = command
  return new Promise((resolve, reject) => {
    const child = spawn(program, [...args, script.file], {
      cwd: script.cwd,
      env: { ...script.env },
      stdio: ['ignore', 'pipe', 'pipe'],
      // A group of its own, so that what the script started ends with it.
      detached: true,
    })
    let log = ''
    child.stdout.on('data', (chunk: Buffer) => (log += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => (log += chunk.toString()))
    const stop = (): void => {
      if (child.pid !== undefined) killGroup(child.pid)
    }
    script.signal?.addEventListener('abort', stop)
    // A signal that has gone off already tells nobody who comes after.
    if (script.signal?.aborted) stop()
    child.on('error', reject)
    child.on('close', (code) => {
      script.signal?.removeEventListener('abort', stop)
      resolve({ exitCode: code ?? 1, log })
    })
  })
}

function killGroup(leader: number): void {
  try {
    process.kill(-leader, 'SIGKILL')
  } catch (error) {
    // All of it may have ended by itself in the meantime.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
  }
}
