import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { projectRoot } from './directories.ts'

export interface NeedleRun {
  readonly exitCode: number
  /** Standard output and error, in the order they came. */
  readonly output: string
  /** Standard output alone: what the command has to say at its end, without its progress. */
  readonly result: string
  readonly durationMs: number
}

export interface NeedleRunOptions {
  readonly cwd: string
  /** Everything the command may know; nothing else of this process's environment but PATH, HOME and TERM is passed on. */
  readonly env: Readonly<Record<string, string>>
  readonly signal?: AbortSignal | undefined
}

/** Runs one `needle` command to its end, as a workflow step would. A failing command is a result, not an exception. */
export function runNeedle(args: readonly string[], options: NeedleRunOptions): Promise<NeedleRun> {
  const started = performance.now()
  return new Promise((resolve, reject) => {
    const child = spawn(
      process.execPath,
      [join(projectRoot, 'pipeline', 'bin', 'needle.js'), ...args],
      {
        cwd: options.cwd,
        env: { ...inheritedEnv(), ...options.env },
        stdio: ['ignore', 'pipe', 'pipe'],
        signal: options.signal,
      },
    )
    let output = ''
    let result = ''
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString()
      result += chunk.toString()
    })
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()))
    child.on('error', reject)
    child.on('close', (code) =>
      resolve({
        exitCode: code ?? 1,
        output: output.trim(),
        result: result.trim(),
        durationMs: performance.now() - started,
      }),
    )
  })
}

/** What every command may know: where programs and the home directory are, and how to print. */
export function inheritedEnv(): Record<string, string> {
  return Object.fromEntries(
    ['PATH', 'HOME', 'TERM', 'LANG'].flatMap((name) => {
      const value = process.env[name]
      return value === undefined ? [] : [[name, value]]
    }),
  )
}
