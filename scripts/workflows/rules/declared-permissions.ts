import { isMapping, isString } from '../github-parser.ts'
import type { Rule } from './rule.ts'

/**
 * Every workflow says at its top what its token may do, and there it may only read; a job that
 * needs more says so itself. Without it the repository's settings decide, often "write all".
 */
export const declaredPermissions: Rule = {
  name: 'declared-permissions',
  *find({ root }) {
    const permissions = root.find('permissions')
    if (permissions === undefined) {
      yield { line: 1, message: 'add "permissions: { contents: read }" at the top level' }
      return
    }
    const granted = isMapping(permissions)
      ? [...permissions].map(({ value }) => value)
      : [permissions]
    for (const grant of granted) {
      if (isString(grant) && grant.value.startsWith('write')) {
        const line = grant.line ?? 1
        yield { line, message: 'grant writing to the one job that needs it, not to the workflow' }
      }
    }
  },
}
