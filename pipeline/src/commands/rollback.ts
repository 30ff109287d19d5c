import type { Command } from 'commander'
import type { CommandIo } from './command.ts'
import { withSigningOptions } from './environment-session.ts'
import { type FollowOptions, parseWait, withFollowOptions } from './follow-options.ts'
import type { OrderOptions } from './run-order.ts'

interface RollbackOptions extends OrderOptions, FollowOptions {
  readonly to: string
}

/** `needle rollback <function>`: an older release serves, the bad one is quarantined. */
export function addRollbackCommand(program: Command, io: CommandIo): void {
  withFollowOptions(withSigningOptions(program.command('rollback <function>')))
    .summary('serve an older release of a function, quarantine what it serves now')
    .option('--to <release>', '"previous", or the first digits of a release', 'previous')
    .requiredOption('--reason <text>', 'why; recorded in the history')
    .action(async (functionName: string, options: RollbackOptions) => {
      const { runOrder } = await import('./run-order.ts')
      const { planRollback } = await import('../plan/plan-rollback.ts')
      const { findOlderReleases } = await import('../environment-state/older-releases.ts')
      await runOrder(io, options, {
        function: functionName,
        title: `Rolling back ${functionName}`,
        followMs: parseWait(options),
        plan: async (order, { access }) => {
          const { to } = options
          if (to === 'previous') return planRollback({ ...order, to })
          return planRollback({
            ...order,
            to,
            older: await findOlderReleases(access, functionName),
          })
        },
      })
    })
}
