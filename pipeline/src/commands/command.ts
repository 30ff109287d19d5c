import type { Command } from 'commander'
import type { ExitCode } from '../exit-code.ts'

/**
 * The world as a command sees it, so that tests run commands in their own process and read what
 * they print.
 */
export interface CommandIo {
  /** The result, and nothing else: what `--json` or a pipe reads. */
  readonly stdout: (text: string) => void
  /** Progress, warnings and errors. */
  readonly stderr: (text: string) => void
  /** Whether a person watches stderr: spinners and colours, else plain lines. */
  readonly isTerminal: boolean
  readonly cwd: string
  readonly env: Readonly<Record<string, string | undefined>>
  /** Aborts on Ctrl-C. */
  readonly signal: AbortSignal
}

/** What a command has to say at its end; printed once, as text or as JSON. */
export interface CommandResult {
  /** Without the final newline. Empty prints nothing. */
  readonly text: string
  readonly json: unknown
  /** Default `ok`. A refusal that has its own result to show says so here instead of throwing. */
  readonly exitCode?: ExitCode | undefined
}

/** Options every command has. */
export interface SharedOptions {
  readonly json?: boolean | undefined
  /** Where the repository is; default: found upwards from the working directory. */
  readonly repository?: string | undefined
}

/**
 * The shape of a module in this folder: `check.ts` exports `addCheckCommand`. It only declares
 * name, arguments and options; its action imports the implementation when it runs, so that
 * `needle --help` and every command start without loading the others.
 */
export type AddCommand = (program: Command, io: CommandIo) => void

/** Adds `--json` and `--repository` to a command. */
export function withSharedOptions(command: Command): Command {
  return command
    .option('--json', 'print the result as JSON on standard output')
    .option('--repository <directory>', 'repository to work in (default: found from here upwards)')
}

/** Carries the exit code of a finished command to `cli.ts`. */
export class CommandExit extends Error {
  override readonly name = 'CommandExit'
  readonly exitCode: ExitCode

  constructor(exitCode: ExitCode) {
    super(`exit ${exitCode}`)
    this.exitCode = exitCode
  }
}

/** Prints a result as the caller wants it. @throws CommandExit when its exit code is not `ok`. */
export function finish(io: CommandIo, options: SharedOptions, result: CommandResult): void {
  if (options.json === true) io.stdout(`${JSON.stringify(result.json, null, 2)}\n`)
  else if (result.text !== '') io.stdout(`${result.text}\n`)
  if (result.exitCode !== undefined && result.exitCode !== 0) throw new CommandExit(result.exitCode)
}
