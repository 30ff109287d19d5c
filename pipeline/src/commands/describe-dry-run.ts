import { exitCode } from '../exit-code.ts'
import type { DryRun } from '../publish/dry-run-build.ts'
import type { CommandResult } from './command.ts'
import { planLines } from './describe-outcome.ts'

/** What a publish would do, with the exit code it would have. */
export function describeDryRun(environment: string, dryRun: DryRun): CommandResult {
  const { manifest, changes, kept, refusals, untold } = dryRun
  const at =
    manifest === null ? ', where nothing was published yet' : ` version ${manifest.version}`
  const lines = planLines(dryRun)
  return {
    text: [
      `Nothing was written. Publishing this would do to ${environment}${at}:`,
      ...(lines.length === 0 ? ['  nothing: it says the same already'] : lines),
      ...untold,
    ].join('\n'),
    json: {
      environment,
      dryRun: true,
      written: false,
      version: manifest?.version ?? null,
      commit: manifest?.commit ?? null,
      changes,
      kept,
      refusals,
      untold,
    },
    exitCode: refusals.length > 0 ? exitCode.refused : exitCode.ok,
  }
}
