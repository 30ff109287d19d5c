import { Command, CommanderError } from 'commander'
import { CommandExit, type CommandIo } from './commands/command.ts'
import { commands } from './commands/index.ts'
import { exitCode, exitCodeOf, type ExitCode } from './exit-code.ts'
import { describeError } from './describe-error.ts'

/**
 * The `needle` command: runs it with these arguments (without `node` and the script) and resolves
 * to the exit code. Never rejects; errors become a message that says what to do next.
 */
export async function main(args: readonly string[], io = processIo()): Promise<ExitCode> {
  const program = createProgram(io)
  try {
    await program.parseAsync([...args], { from: 'user' })
    return exitCode.ok
  } catch (error) {
    if (error instanceof CommandExit) return error.exitCode
    // commander has printed its own message, and help is no failure
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCode.ok : exitCode.usage
    if (io.signal.aborted) return exitCode.interrupted
    const { text, json } = describeError(error, io.env['NEEDLE_DEBUG'] !== undefined)
    if (args.includes('--json')) io.stdout(`${JSON.stringify(json, null, 2)}\n`)
    else io.stderr(`${text}\n`)
    return exitCodeOf(error)
  }
}

function createProgram(io: CommandIo): Command {
  const program = new Command('needle')
    .description('Checks, builds, publishes and rolls back functions, one at a time.')
    .showHelpAfterError('(needle --help lists every command and option)')
    .exitOverride()
    .configureOutput({ writeOut: io.stdout, writeErr: io.stderr })
  for (const addCommand of commands) addCommand(program, io)
  for (const command of program.commands) completeHelp(command, program)
  return program
}

/** Help of a command begins with what it does, tells what it demands, and errors lead to it. */
function completeHelp(command: Command, parent: Command): void {
  command.copyInheritedSettings(parent)
  if (command.description() === '') command.description(asSentence(command.summary()))
  const path = parent.parent === null ? command.name() : `${parent.name()} ${command.name()}`
  command.showHelpAfterError(`(needle ${path} --help says what it takes)`)
  for (const option of command.options) {
    if (option.mandatory && option.defaultValue === undefined) option.description += ' (required)'
  }
  for (const below of command.commands) completeHelp(below, command)
}

function asSentence(summary: string): string {
  return `${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`
}

/** Ctrl-C aborts the signal once; a second one ends the process as usual. */
function processIo(): CommandIo {
  const interrupt = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => interrupt.abort())
  }
  return {
    stdout: (text) => void process.stdout.write(text),
    stderr: (text) => void process.stderr.write(text),
    isTerminal: process.stderr.isTTY && process.env['CI'] === undefined,
    cwd: process.cwd(),
    env: process.env,
    signal: interrupt.signal,
  }
}
