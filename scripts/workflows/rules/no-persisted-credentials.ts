import { isMapping, isString } from '../github-parser.ts'
import { jobsOf, stepsOf } from '../jobs-of.ts'
import { scalarText } from '../scalar-text.ts'
import type { Rule } from './rule.ts'

/** Checkout leaves a token for the repository on disk, within reach of every later step, unless told not to. */
export const noPersistedCredentials: Rule = {
  name: 'no-persisted-credentials',
  *find(workflow) {
    for (const { job } of jobsOf(workflow)) {
      for (const step of stepsOf(job)) {
        const uses = step.find('uses')
        if (uses === undefined || !isString(uses) || !uses.value.startsWith('actions/checkout@')) {
          continue
        }
        const inputs = step.find('with')
        const persist = inputs && isMapping(inputs) ? inputs.find('persist-credentials') : undefined
        if (scalarText(persist) === 'false') continue
        yield { line: uses.line ?? 1, message: 'add "with: { persist-credentials: false }"' }
      }
    }
  },
}
