import type { Command } from 'commander'
import type { CommandIo } from './command.ts'
import { withSigningOptions } from './environment-session.ts'
import { type FollowOptions, parseWait, withFollowOptions } from './follow-options.ts'
import type { OrderOptions } from './run-order.ts'

/** `needle abort <function>`: the canary stops, stable serves everyone. */
export function addAbortCommand(program: Command, io: CommandIo): void {
  withFollowOptions(withSigningOptions(program.command('abort <function>')))
    .summary('stop the canary of a function and quarantine it')
    .requiredOption('--reason <text>', 'why; recorded in the history')
    .action(async (functionName: string, options: OrderOptions & FollowOptions) => {
      const { runOrder } = await import('./run-order.ts')
      const { planAbort } = await import('../plan/plan-abort.ts')
      await runOrder(io, options, {
        function: functionName,
        title: `Aborting the canary of ${functionName}`,
        plan: planAbort,
        followMs: parseWait(options),
      })
    })
}
