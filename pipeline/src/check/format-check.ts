import { formatIssue, type Issue } from '../errors.ts'
import type { Selection } from '../functions/select-functions.ts'
import type { UnitTests } from './unit-tests.ts'

interface CheckSummary {
  /** How many there are in the repository. */
  readonly functions: number
  readonly selection: Selection
  readonly issues: readonly Issue[]
  readonly tests: UnitTests
}

/** What `needle check` prints for people: which functions and why, their coverage, every problem. */
export function formatCheck({ functions, selection, issues, tests }: CheckSummary): string {
  const { affected, basis, released } = selection
  const skipped = released.size === 0 ? '' : `, ${released.size} released already`
  const lines = [
    `${affected.length} of ${functions} functions affected (against ${basis}${skipped})`,
  ]
  for (const { name, reasons } of affected) {
    const percent = tests.coveragePercent[name]
    const coverage = percent === undefined ? '' : `  ${percent} % of lines tested`
    lines.push(`  ${name}: ${shorten(reasons)}${coverage}`)
  }
  if (affected.length === 0 && released.size === 0) {
    lines.push('  Nothing to check; --all checks every function.')
  }
  lines.push('', ...issues.map((issue) => formatIssue(issue)))
  lines.push(
    issues.length === 0
      ? `All good${tests.passed > 0 ? `, ${tests.passed} tests passed` : ''}.`
      : `${issues.length} problem${issues.length === 1 ? '' : 's'}.`,
  )
  return lines.join('\n')
}

function shorten(reasons: readonly string[]): string {
  const shown = reasons.slice(0, 3).join('; ')
  return reasons.length > 3 ? `${shown}; and ${reasons.length - 3} more` : shown
}
