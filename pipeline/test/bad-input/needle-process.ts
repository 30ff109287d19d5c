import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

export interface NeedleProcess {
  readonly process: ChildProcess
  /** Exit code, or the signal that ended it; with what it printed on standard error. */
  readonly ended: Promise<{ readonly code: number | null; readonly stderr: string }>
}

const bin = fileURLToPath(new URL('../../bin/needle.js', import.meta.url))

/** The `needle` command as an operating system process. */
export function spawnNeedle(
  args: readonly string[],
  { cwd, env }: { readonly cwd: string; readonly env: Readonly<Record<string, string>> },
): NeedleProcess {
  const child = spawn(process.execPath, [bin, ...args], {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let stderr = ''
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
  return {
    process: child,
    ended: once(child, 'close').then(([code]: unknown[]) => ({
      code: typeof code === 'number' ? code : null,
      stderr,
    })),
  }
}
