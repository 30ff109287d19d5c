import type { Command } from 'commander'
import { PipelineError } from '../errors.ts'
import type { CommandIo } from './command.ts'
import { withSigningOptions } from './environment-session.ts'
import { type FollowOptions, parseWait, withFollowOptions } from './follow-options.ts'
import type { OrderOptions } from './run-order.ts'

interface ClearOptions extends OrderOptions, FollowOptions {
  readonly hold?: boolean
  readonly quarantine?: string
}

/** `needle clear <function>`: ends a hold, allows a quarantined pair again. */
export function addClearCommand(program: Command, io: CommandIo): void {
  withFollowOptions(withSigningOptions(program.command('clear <function>')))
    .summary('end the hold of a function, or allow a quarantined pair again')
    .option('--hold', 'end the hold, or the stop and the hold below it')
    .option('--quarantine <pair>', 'allow this pair again, as needle status prints it')
    .requiredOption('--reason <text>', 'why; recorded in the history')
    .action(async (functionName: string, options: ClearOptions) => {
      if (options.hold !== true && options.quarantine === undefined) {
        throw new PipelineError(
          'USAGE_INVALID',
          'Say what to clear: --hold, --quarantine <pair> or both',
        )
      }
      const { runOrder } = await import('./run-order.ts')
      const { planClear } = await import('../plan/plan-clear.ts')
      await runOrder(io, options, {
        function: functionName,
        title: `Clearing ${functionName}`,
        followMs: parseWait(options),
        plan: (order) =>
          planClear({
            ...order,
            hold: options.hold ?? false,
            quarantine: options.quarantine ?? null,
          }),
      })
    })
}
