import type { Rule } from './rule.ts'

/**
 * `pull_request_target` runs beside the base repository's secrets; code of a pull request must
 * never do that (https://securitylab.github.com/resources/github-actions-preventing-pwn-requests).
 */
export const noPullRequestTarget: Rule = {
  name: 'no-pull-request-target',
  *find({ root, template }) {
    if (template.events.pull_request_target === undefined) return
    yield { line: root.find('on')?.line ?? 1, message: 'use pull_request instead' }
  },
}
