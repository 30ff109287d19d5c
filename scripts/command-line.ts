import { Command, InvalidArgumentError } from 'commander'

/**
 * The command line of one npm script, such as `npm run bench`: `--help` tells its options with their
 * defaults; wrong usage ends the process with one line that says what is wrong, and exit code 2.
 */
export function commandLine(script: string, description: string): Command {
  return new Command(`${script} --`)
    .description(description)
    .showHelpAfterError(`(${script} -- --help lists what it takes)`)
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2))
}

/** Parses an option that is a whole number of `least` or more. */
export function wholeNumber(least: number, most = Number.MAX_SAFE_INTEGER) {
  return (text: string): number => {
    const value = text.trim() === '' ? Number.NaN : Number(text)
    if (Number.isInteger(value) && value >= least && value <= most) return value
    const range = most === Number.MAX_SAFE_INTEGER ? `${least} or more` : `${least} to ${most}`
    throw new InvalidArgumentError(`Use a whole number, ${range}.`)
  }
}

/** Parses an option that is a time in seconds, fractions allowed. */
export function seconds(text: string): number {
  const value = Number(text)
  if (text.trim() !== '' && Number.isFinite(value) && value > 0) return value
  throw new InvalidArgumentError('Use seconds above 0, such as 0.5.')
}
