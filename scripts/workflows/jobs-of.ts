import type { MappingToken } from '@actions/workflow-parser/templates/tokens/mapping-token'
import { isMapping, isSequence } from './github-parser.ts'
import type { WorkflowFile } from './workflow-file.ts'

/** The jobs of a workflow as written, with their ids, in the order of the file. */
export function* jobsOf({ root }: WorkflowFile): Generator<{ id: string; job: MappingToken }> {
  const jobs = root.find('jobs')
  if (jobs === undefined || !isMapping(jobs)) return
  for (const { key, value } of jobs) if (isMapping(value)) yield { id: key.toString(), job: value }
}

/** The steps of a job as written; none for a job that calls a reusable workflow. */
export function* stepsOf(job: MappingToken): Generator<MappingToken> {
  const steps = job.find('steps')
  if (steps === undefined || !isSequence(steps)) return
  for (const step of steps) if (isMapping(step)) yield step
}
