import type { CommandResult } from './command.ts'
import { exitCode } from '../exit-code.ts'
import type { Plan } from '../plan/plan.ts'
import type { ChangeOutcome } from '../publish/change-environment.ts'

/** What a change did, for people and machines. Exits as refused when anything was refused. */
export function describeOutcome(
  environment: string,
  outcome: ChangeOutcome,
): CommandResult & { readonly json: object } {
  const { plan, manifest, isWritten } = outcome
  return {
    text: [headline(environment, outcome), ...planLines(plan)].join('\n'),
    json: {
      environment,
      written: isWritten,
      version: manifest?.version ?? null,
      commit: manifest?.commit ?? null,
      expiresAt: manifest?.expiresAt ?? null,
      changes: plan.changes,
      kept: plan.kept,
      refusals: plan.refusals,
    },
    exitCode: plan.refusals.length > 0 ? exitCode.refused : exitCode.ok,
  }
}

/** One indented line for each change, each function left alone, and each refusal. */
export function planLines({
  changes,
  kept,
  refusals,
}: Pick<Plan, 'changes' | 'kept' | 'refusals'>): readonly string[] {
  return [
    ...changes.map(
      ({ function: name, text, authors = [] }) =>
        `  ${[name, text, authors.join(', ')].filter((part) => part).join('  ')}`,
    ),
    ...kept.map((each) => `  ${each.function}  not changed: ${each.text}`),
    ...refusals.map(({ code, message }) => `  ${code}: ${message}`),
  ]
}

function headline(environment: string, { plan, manifest, isWritten }: ChangeOutcome): string {
  const same = plan.changes.length === 0 ? ' (no function changes)' : ''
  if (isWritten) {
    return `${environment} is at version ${manifest?.version}: ${manifest?.reason}${same}`
  }
  if (plan.refusals.length > 0) return `Nothing changed in ${environment}`
  return manifest === null
    ? `Nothing to publish to ${environment}`
    : `Nothing to change: ${environment} version ${manifest.version} says the same already`
}
