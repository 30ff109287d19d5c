import type { WorkflowTemplate } from '@actions/workflow-parser'
import type { MappingToken } from '@actions/workflow-parser/templates/tokens/mapping-token'
import type { Finding } from './finding.ts'
import {
  convertWorkflowTemplate,
  isMapping,
  NoOperationTraceWriter,
  parseWorkflow,
} from './github-parser.ts'

/** A workflow as GitHub reads it. */
export interface WorkflowFile {
  /** Path inside the repository, as findings name it. */
  readonly path: string
  readonly text: string
  /** The whole file, validated by GitHub's schema; what `template` leaves out is found here. */
  readonly root: MappingToken
  readonly template: WorkflowTemplate
}

/** The workflow in `text`, or what GitHub's parser refuses about it. Never throws for bad input. */
export async function readWorkflow(
  path: string,
  text: string,
): Promise<{ workflow: WorkflowFile } | { problems: readonly Finding[] }> {
  const { context, value } = parseWorkflow(
    { name: path, content: text },
    new NoOperationTraceWriter(),
  )
  const root = value !== undefined && isMapping(value) ? value : undefined
  const template = root && (await convertWorkflowTemplate(context, root))
  const problems = context.errors.getErrors().map((error): Finding => ({
    file: path,
    line: error.range?.start.line ?? 1,
    message: error.rawMessage,
    rule: 'parser',
  }))
  if (problems.length > 0) return { problems }
  if (root === undefined || template === undefined) {
    return { problems: [{ file: path, line: 1, message: 'not a workflow', rule: 'parser' }] }
  }
  return { workflow: { path, text, root, template } }
}
