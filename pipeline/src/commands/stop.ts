import type { Command } from 'commander'
import type { CommandIo } from './command.ts'
import { withSigningOptions } from './environment-session.ts'
import { type FollowOptions, parseWait, withFollowOptions } from './follow-options.ts'
import type { OrderOptions } from './run-order.ts'
import { parseUntil, type UntilOption, withUntilOption } from './until-option.ts'

/** `needle stop <function>`: it answers 503 until someone resumes it. */
export function addStopCommand(program: Command, io: CommandIo): void {
  withFollowOptions(withUntilOption(withSigningOptions(program.command('stop <function>'))))
    .summary('answer 503 instead of serving a function, whatever is merged')
    .requiredOption('--reason <text>', 'why; recorded in the history')
    .action(async (functionName: string, options: OrderOptions & FollowOptions & UntilOption) => {
      const { runOrder } = await import('./run-order.ts')
      const { planHold } = await import('../plan/plan-hold.ts')
      const until = parseUntil(options)
      await runOrder(io, options, {
        function: functionName,
        title: `Stopping ${functionName}`,
        plan: (order) => planHold({ ...order, stop: true, until }),
        followMs: parseWait(options),
      })
    })
}
