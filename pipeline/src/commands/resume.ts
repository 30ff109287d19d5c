import type { Command } from 'commander'
import type { CommandIo } from './command.ts'
import { withSigningOptions } from './environment-session.ts'
import { type FollowOptions, parseWait, withFollowOptions } from './follow-options.ts'
import type { OrderOptions } from './run-order.ts'

/** `needle resume <function>`: what was stopped serves again, held as it was before. */
export function addResumeCommand(program: Command, io: CommandIo): void {
  withFollowOptions(withSigningOptions(program.command('resume <function>')))
    .summary('let a stopped function serve again; a hold from before the stop holds again')
    .requiredOption('--reason <text>', 'why; recorded in the history')
    .action(async (functionName: string, options: OrderOptions & FollowOptions) => {
      const { runOrder } = await import('./run-order.ts')
      const { planResume } = await import('../plan/plan-resume.ts')
      await runOrder(io, options, {
        function: functionName,
        title: `Resuming ${functionName}`,
        plan: planResume,
        followMs: parseWait(options),
      })
    })
}
