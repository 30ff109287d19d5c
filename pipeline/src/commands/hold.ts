import type { Command } from 'commander'
import type { CommandIo } from './command.ts'
import { withSigningOptions } from './environment-session.ts'
import type { OrderOptions } from './run-order.ts'
import { parseUntil, type UntilOption, withUntilOption } from './until-option.ts'

interface HoldOptions extends OrderOptions, UntilOption {
  readonly stop?: boolean
}

/** `needle hold <function>`: keeps it as it is, or stopped, against what Git says. */
export function addHoldCommand(program: Command, io: CommandIo): void {
  withUntilOption(withSigningOptions(program.command('hold <function>')))
    .summary('keep a function as it is (stopped, if it is), or stop it, whatever is merged')
    .option('--stop', 'answer 503 instead of serving')
    .requiredOption('--reason <text>', 'why; recorded in the history')
    .action(async (functionName: string, options: HoldOptions) => {
      const { runOrder } = await import('./run-order.ts')
      const { planHold } = await import('../plan/plan-hold.ts')
      const until = parseUntil(options)
      await runOrder(io, options, {
        function: functionName,
        title: `Holding ${functionName}`,
        plan: (order) => planHold({ ...order, stop: options.stop ?? false, until }),
      })
    })
}
