import { main } from '../../src/cli.ts'

export interface CommandRun {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
  /** What `--json` printed. */
  readonly json: () => unknown
}

/** Runs `needle` in this process, as a person would in `cwd`, and keeps what it prints. */
export async function runCommand(
  args: readonly string[],
  { cwd, env = {} }: { readonly cwd: string; readonly env?: Record<string, string> },
): Promise<CommandRun> {
  let stdout = ''
  let stderr = ''
  const exitCode = await main(args, {
    stdout: (text) => void (stdout += text),
    stderr: (text) => void (stderr += text),
    isTerminal: false,
    cwd,
    env: { PATH: process.env['PATH'], ...env },
    signal: new AbortController().signal,
  })
  return { exitCode, stdout, stderr, json: () => JSON.parse(stdout) as unknown }
}
