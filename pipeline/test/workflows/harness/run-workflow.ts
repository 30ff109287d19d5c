import { join } from 'node:path'
import type { Job } from '@actions/workflow-parser/model/workflow-template'
import type { TemplateToken } from '@actions/workflow-parser/templates/tokens/template-token'
import { isMapping } from '../../../../scripts/workflows/github-parser.ts'
import { jobsOf } from '../../../../scripts/workflows/jobs-of.ts'
import { scalarText } from '../../../../scripts/workflows/scalar-text.ts'
import { readWorkflow, type WorkflowFile } from '../../../../scripts/workflows/workflow-file.ts'
import { repository, type WorkflowEvent } from './event.ts'
import { holds, type Status, textOf } from './expression.ts'
import { git } from './git.ts'
import { isTriggered } from './is-triggered.ts'
import { type JobRun, runJob } from './job.ts'
import { type CloudCredentials, prepareMachine } from './machine.ts'
import type { Origin } from './origin.ts'
import { mayRequestIdToken } from './permissions.ts'
import { assertPlayed } from './played-keys.ts'

export interface WorkflowRunOptions {
  readonly origin: Origin
  readonly event: WorkflowEvent
  /** Path in the repository; read at the event's commit, as GitHub does. */
  readonly file: string
  /** An empty place for the run's machines and artifacts. */
  readonly directory: string
  readonly secrets?: Readonly<Record<string, string>>
  /** Secrets only jobs with that `environment:` have, by its name. */
  readonly environmentSecrets?: Readonly<Record<string, Readonly<Record<string, string>>>>
  /** Configuration variables (`vars`). */
  readonly variables?: Readonly<Record<string, string>>
  readonly cloudRoles?: Readonly<Record<string, CloudCredentials>>
  /** A directory of programs that stand before those of the machine. */
  readonly commands?: string
  readonly signal?: AbortSignal
}

export interface WorkflowRun {
  /** `name:` of the workflow, or its path. */
  readonly name: string
  readonly conclusion: Status
  /** By id, in the order they ran. */
  readonly jobs: Readonly<Record<string, JobRun>>
}

/**
 * Runs a workflow of the origin as GitHub would for this event, its jobs one after another in the
 * order of `needs`, each on a machine of its own. Undefined if the event does not trigger it.
 * Throws for a file GitHub refuses and for anything that is not played here; a failing job is a
 * result.
 */
export async function runWorkflow(options: WorkflowRunOptions): Promise<WorkflowRun | undefined> {
  const { origin, event, file } = options
  const read = await readWorkflow(file, await git(origin.bare, 'show', `${event.sha}:${file}`))
  if ('problems' in read) throw new Error(`${file}: ${read.problems[0]?.message}`)
  const { workflow } = read
  assertPlayed('workflow', workflow.root)
  if (!isTriggered(workflow.template.events, event)) return undefined

  const jobs: Record<string, JobRun> = {}
  const waiting = [...workflow.template.jobs]
  while (waiting.length > 0) {
    const ready = waiting.findIndex(
      ({ needs }) => needs?.every(({ value }) => value in jobs) ?? true,
    )
    const [job] = ready === -1 ? [] : waiting.splice(ready, 1)
    if (job === undefined || job.type !== 'job' || !('steps' in job)) {
      throw new Error('reusable workflows are not played here')
    }
    jobs[job.id.value] = await runOneJob(workflow, job, jobs, options)
  }
  const failed = Object.values(jobs).some(({ conclusion }) => conclusion === 'failure')
  const skipped = Object.values(jobs).every(({ conclusion }) => conclusion === 'skipped')
  const name = scalarText(workflow.root.find('name')) ?? file
  return { name, conclusion: failed ? 'failure' : skipped ? 'skipped' : 'success', jobs }
}

async function runOneJob(
  workflow: WorkflowFile,
  job: Job,
  done: Readonly<Record<string, JobRun>>,
  options: WorkflowRunOptions,
): Promise<JobRun> {
  const id = job.id.value
  const raw = [...jobsOf(workflow)].find((candidate) => candidate.id === id)?.job
  if (raw === undefined) throw new Error(`job ${id} is missing`)
  assertPlayed('job', raw)
  const needs = (job.needs ?? []).flatMap(({ value }) => done[value] ?? [])
  const github = githubContext(options.event, options.file, id)
  const contexts = {
    github,
    inputs: options.event.payload['inputs'] ?? {},
    needs: Object.fromEntries(
      needs.map(({ id, conclusion, outputs }) => [id, { result: conclusion, outputs }]),
    ),
    vars: options.variables ?? {},
  }
  if (!holds(job.if, { contexts, status: statusOf(needs) })) {
    return { id, conclusion: 'skipped', steps: [], outputs: {} }
  }
  const environment = environmentName(job.environment)
  const { isFromFork = false } = options.event
  const secrets = {
    ...(!isFromFork && options.secrets),
    ...(!isFromFork && options.environmentSecrets?.[environment]),
    GITHUB_TOKEN: github.token,
  }
  const machine = await prepareMachine({
    event: options.event,
    origin: options.origin,
    directory: join(options.directory, 'jobs', id),
    artifacts: join(options.directory, 'artifacts'),
    mayRequestIdToken: !isFromFork && mayRequestIdToken(workflow.root, raw),
    cloudRoles: options.cloudRoles ?? {},
    commands: options.commands,
    github,
  })
  const minutes = Number(scalarText(raw.find('timeout-minutes')) ?? 360)
  const { env } = workflow.template
  return runJob(job, raw, {
    machine,
    contexts: { ...contexts, github: { ...github, workspace: machine.workspace }, secrets },
    workflowEnv: env !== undefined && isMapping(env) ? env : undefined,
    workflowDefaults: workflow.root.find('defaults'),
    signal: AbortSignal.any([
      AbortSignal.timeout(minutes * 60_000),
      ...(options.signal === undefined ? [] : [options.signal]),
    ]),
  })
}

function statusOf(needs: readonly JobRun[]): Status {
  if (needs.some(({ conclusion }) => conclusion === 'failure')) return 'failure'
  return needs.every(({ conclusion }) => conclusion === 'success') ? 'success' : 'skipped'
}

function environmentName(environment: TemplateToken | undefined): string {
  if (environment === undefined) return ''
  const name = isMapping(environment) ? environment.find('name') : environment
  return name === undefined ? '' : textOf(name, { contexts: {} })
}

function githubContext(event: WorkflowEvent, file: string, job: string) {
  return {
    // Names that can never exist (RFC 2606), so that nothing here talks to the real GitHub.
    api_url: 'https://api.github.invalid',
    server_url: 'https://github.invalid',
    actor: 'ada',
    triggering_actor: 'ada',
    base_ref: event.baseRef,
    head_ref: event.headRef,
    event: event.payload,
    event_name: event.name,
    job,
    ref: event.ref,
    ref_name: event.ref.replace(/^refs\/(heads|pull)\//, ''),
    ref_type: 'branch',
    repository,
    repository_owner: repository.split('/')[0],
    run_attempt: '1',
    run_id: '4711',
    run_number: '1',
    sha: event.sha,
    token: 'token-of-this-job',
    workflow: file,
  }
}
