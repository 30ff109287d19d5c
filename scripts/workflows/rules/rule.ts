import type { WorkflowFile } from '../workflow-file.ts'

/** A house rule that neither GitHub's parser nor actionlint knows. */
export interface Rule {
  readonly name: string
  find(workflow: WorkflowFile): Iterable<{ line: number; message: string }>
}
