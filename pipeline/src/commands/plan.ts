import type { Command } from 'commander'
import { type CommandIo, finish, type SharedOptions, withSharedOptions } from './command.ts'

interface PlanOptions extends SharedOptions {
  readonly environment: string
  readonly out: string
}

export function addPlanCommand(program: Command, io: CommandIo): void {
  withSharedOptions(program.command('plan'))
    .summary('find out which functions are released already')
    .description(
      'Asks the store which functions were released from exactly the present files, and writes that down for check and build to skip. Needs no key and runs no function.',
    )
    .option('--environment <name>', 'environment whose store is asked', 'production')
    .requiredOption('--out <file>', 'where the plan goes')
    .action(async (options: PlanOptions) => {
      const { runPlan } = await import('../build/run-plan.ts')
      finish(io, options, await runPlan(io, options))
    })
}
