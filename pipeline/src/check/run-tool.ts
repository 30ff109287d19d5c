import { spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

export interface ToolRun {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
}

const require = createRequire(import.meta.url)

/** Path of a program that one of this package's dependencies brings along. */
export function toolPath(packageName: string, file: string): string {
  return join(dirname(require.resolve(`${packageName}/package.json`)), file)
}

/** What a tool may know of this process: enough to work, no secrets. */
export function toolEnv(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const kept = ['PATH', 'HOME', 'LANG', 'TERM', 'TMPDIR', 'TEMP', 'SystemRoot', 'CI', 'TZ']
  return Object.fromEntries(
    kept.flatMap((name) => {
      const value = env[name]
      return value === undefined ? [] : [[name, value]]
    }),
  )
}

/** Runs a Node.js program to its end. A failing one is a result, not an exception. */
export function runTool(
  script: string,
  args: readonly string[],
  options: {
    readonly cwd: string
    readonly env: Record<string, string>
    readonly signal?: AbortSignal | undefined
  },
): Promise<ToolRun> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [script, ...args], {
      ...options,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let stdout = ''
    let stderr = ''
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => (stdout += chunk))
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk))
    child.on('error', reject)
    child.on('close', (code) => resolve({ exitCode: code ?? 1, stdout, stderr }))
  })
}
