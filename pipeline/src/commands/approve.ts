import type { Command } from 'commander'
import type { CommandIo } from './command.ts'
import { withSigningOptions } from './environment-session.ts'
import type { OrderOptions } from './run-order.ts'

/** `needle approve <function>`: lets the next step of its rollout begin. */
export function addApproveCommand(program: Command, io: CommandIo): void {
  withSigningOptions(program.command('approve <function>'))
    .summary('agree to the next step of a rollout that wants approval')
    .requiredOption('--reason <text>', 'why; recorded in the history')
    .action(async (functionName: string, options: OrderOptions) => {
      const { runOrder } = await import('./run-order.ts')
      const { planApprove } = await import('../plan/plan-approve.ts')
      await runOrder(io, options, {
        function: functionName,
        title: `Approving ${functionName}`,
        plan: planApprove,
      })
    })
}
