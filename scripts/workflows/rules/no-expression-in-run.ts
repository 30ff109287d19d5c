import { isBasicExpression } from '../github-parser.ts'
import { jobsOf, stepsOf } from '../jobs-of.ts'
import type { Rule } from './rule.ts'

/**
 * An expression inside `run:` is pasted into the script before bash reads it, so a branch named
 * `$(…)` would be executed. Through `env:` it stays a value.
 */
export const noExpressionInRun: Rule = {
  name: 'no-expression-in-run',
  *find(workflow) {
    for (const { job } of jobsOf(workflow)) {
      for (const step of stepsOf(job)) {
        const run = step.find('run')
        if (run === undefined || !isBasicExpression(run)) continue
        const [expression] = run.originalExpressions ?? [run]
        const line = expression?.line ?? run.line ?? 1
        yield { line, message: 'pass the expression through env: and use "$NAME" in run:' }
      }
    }
  },
}
