import { isString } from '../github-parser.ts'
import { jobsOf, stepsOf } from '../jobs-of.ts'
import type { Rule } from './rule.ts'

/**
 * Every action is named by the full hash of a commit, with its version as a comment: a tag can be
 * moved to other code by whoever takes over the action's repository, a hash cannot.
 */
export const pinnedActions: Rule = {
  name: 'pinned-actions',
  *find(workflow) {
    const lines = workflow.text.split('\n')
    for (const { job } of jobsOf(workflow)) {
      for (const uses of [job, ...stepsOf(job)].map((token) => token.find('uses'))) {
        if (uses === undefined || !isString(uses) || uses.value.startsWith('./')) continue
        const line = uses.line ?? 1
        if (!/@[0-9a-f]{40}$/.test(uses.value)) {
          yield { line, message: `"${uses.value}" must end in @ and the 40 digits of a commit` }
        } else if (!/\s# v\d+\.\d+\.\d+$/.test(lines[line - 1] ?? '')) {
          yield { line, message: `"${uses.value}" needs its version as a comment: # v1.2.3` }
        }
      }
    }
  },
}
