import type { Command } from 'commander'
import type { CommandIo } from './command.ts'
import { type EnvironmentOptions, withEnvironmentOptions } from './environment-session.ts'

export interface AlarmsOptions extends EnvironmentOptions {
  readonly webhook?: string
  readonly watch?: boolean
  readonly interval: string
}

/** `needle alarms`: what somebody should know of, told once to whoever should. */
export function addAlarmsCommand(program: Command, io: CommandIo): void {
  withEnvironmentOptions(program.command('alarms'))
    .summary('tell a webhook and the log what somebody should know of')
    .description(
      'Finds aborts, holds, refusals, freezes, forks, expiry, laggards and canaries that were cut off, and tells each once when it begins and once when it is over: to the webhook of --webhook, NEEDLE_WEBHOOK or the configuration, signed with NEEDLE_WEBHOOK_SECRET, and on standard output. Takes no key.',
    )
    .option(
      '--webhook <url>',
      "address to tell (default: NEEDLE_WEBHOOK, then the environment's alarms.webhook)",
    )
    .option('--watch', 'go on looking until it is interrupted')
    .option('--interval <seconds>', 'with --watch: how often', '15')
    .action(async (options: AlarmsOptions) => {
      const { runAlarms } = await import('./run-alarms.ts')
      await runAlarms(io, options)
    })
}
