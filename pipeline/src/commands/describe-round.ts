import { exitCode } from '../exit-code.ts'
import type { Decision } from '../rollout/decision.ts'
import type { RoundOutcome } from '../rollout/controller.ts'
import type { CommandResult } from './command.ts'
import { formatTable } from './table.ts'

/**
 * What a round decided and did, for people and machines. Exits as refused when something is bad, as
 * unavailable when something could not be measured; a canary that only waits is no failure.
 */
export function describeRound(environment: string, outcome: RoundOutcome): CommandResult {
  const { decisions, change } = outcome
  const refusals = change?.plan.refusals ?? []
  const lines = [
    change?.isWritten
      ? `${environment} is at version ${change.manifest?.version}`
      : decisions.length === 0
        ? `Nothing is on its way in ${environment}`
        : `Nothing changed in ${environment}`,
    ...describeDecisions(decisions),
    ...refusals.map(({ code, message }) => `  ${code}: ${message}`),
  ]
  const isRefused = refusals.length > 0 || decisions.some(({ verdict }) => verdict === 'failed')
  const isBlind = decisions.some(({ verdict }) => verdict === 'error')
  return {
    text: lines.join('\n'),
    json: {
      environment,
      written: change?.isWritten ?? false,
      version: change?.manifest?.version ?? null,
      decisions,
      changes: change?.isWritten ? change.plan.changes : [],
      refusals,
    },
    exitCode: isRefused ? exitCode.refused : isBlind ? exitCode.unavailable : exitCode.ok,
  }
}

function describeDecisions(decisions: readonly Decision[]): string[] {
  if (decisions.length === 0) return []
  const rows = decisions.map(({ function: name, kind, verdict, text }) => [
    `  ${name}`,
    kind,
    verdict,
    text,
  ])
  const refused = new Set(
    decisions.flatMap((decision) =>
      decision.refused.map(({ instance, why }) => `  not believed: ${instance} ${why}`),
    ),
  )
  return [formatTable(rows), ...refused]
}
