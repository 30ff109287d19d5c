import type { Command } from 'commander'
import type { CommandIo } from './command.ts'
import { withSigningOptions } from './environment-session.ts'
import type { OrderOptions } from './run-order.ts'

interface RefreshOptions extends OrderOptions {
  readonly releases?: boolean
}

/** `needle refresh`: signs the newest manifest again, so that it does not expire. */
export function addRefreshCommand(program: Command, io: CommandIo): void {
  withSigningOptions(program.command('refresh'))
    .summary('sign the newest manifest again before it expires')
    .option('--releases', 'sign the releases it names again too, before their key is taken away')
    .requiredOption('--reason <text>', 'why; recorded in the history')
    .action(async (options: RefreshOptions) => {
      const { runOrder } = await import('./run-order.ts')
      const { planRefresh } = await import('../plan/plan-refresh.ts')
      const { signReleasesAgain } = await import('../publish/sign-releases-again.ts')
      await runOrder(io, options, {
        function: null,
        what: options.releases ? 'code' : 'manifest',
        title: `Signing ${options.environment} again`,
        plan: planRefresh,
        prepare: options.releases ? signReleasesAgain : undefined,
      })
    })
}
