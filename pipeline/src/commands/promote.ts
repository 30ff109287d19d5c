import type { Command } from 'commander'
import type { CommandIo } from './command.ts'
import { withSigningOptions } from './environment-session.ts'
import type { OrderOptions } from './run-order.ts'

/** `needle promote <function>`: the canary becomes stable. */
export function addPromoteCommand(program: Command, io: CommandIo): void {
  withSigningOptions(program.command('promote <function>'))
    .summary('make the canary of a function its stable release')
    .requiredOption('--reason <text>', 'why; recorded in the history')
    .action(async (functionName: string, options: OrderOptions) => {
      const { runOrder } = await import('./run-order.ts')
      const { planPromote } = await import('../plan/plan-promote.ts')
      await runOrder(io, options, {
        function: functionName,
        title: `Promoting ${functionName}`,
        plan: planPromote,
      })
    })
}
