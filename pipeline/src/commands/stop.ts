import type { Command } from 'commander'
import type { CommandIo } from './command.ts'
import { withSigningOptions } from './environment-session.ts'
import { type FollowOptions, parseWait, withFollowOptions } from './follow-options.ts'
import type { OrderOptions } from './run-order.ts'

interface StopOptions extends OrderOptions, FollowOptions {
  readonly until?: string
}

/** `needle stop <function>`: it answers 503 until someone resumes it. */
export function addStopCommand(program: Command, io: CommandIo): void {
  withFollowOptions(withSigningOptions(program.command('stop <function>')))
    .summary('answer 503 instead of serving a function, whatever is merged')
    .option('--until <time>', 'ISO 8601 time to look at it again; only reminds')
    .requiredOption('--reason <text>', 'why; recorded in the history')
    .action(async (functionName: string, options: StopOptions) => {
      const { runOrder } = await import('./run-order.ts')
      const { planHold } = await import('../plan/plan-hold.ts')
      const { parseTime } = await import('./parse-time.ts')
      const until = options.until === undefined ? null : parseTime('--until', options.until)
      await runOrder(io, options, {
        function: functionName,
        title: `Stopping ${functionName}`,
        plan: (order) => planHold({ ...order, stop: true, until }),
        followMs: parseWait(options),
      })
    })
}
