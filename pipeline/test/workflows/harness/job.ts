import type { Job } from '@actions/workflow-parser/model/workflow-template'
import type { MappingToken } from '@actions/workflow-parser/templates/tokens/mapping-token'
import type { TemplateToken } from '@actions/workflow-parser/templates/tokens/template-token'
import { isMapping } from '../../../../scripts/workflows/github-parser.ts'
import { stepsOf } from '../../../../scripts/workflows/jobs-of.ts'
import { scalarText } from '../../../../scripts/workflows/scalar-text.ts'
import { type Contexts, entriesOf, type Status } from './expression.ts'
import type { Machine } from './machine.ts'
import { runStep, type StepRun } from './step.ts'

export interface JobRun {
  readonly id: string
  readonly conclusion: Status
  readonly steps: readonly StepRun[]
  readonly outputs: Readonly<Record<string, string>>
}

export interface JobSetting {
  readonly machine: Machine
  /** `github`, `vars`, `inputs`, `needs` and the `secrets` of this job. */
  readonly contexts: Contexts
  /** `env:` of the workflow. */
  readonly workflowEnv: MappingToken | undefined
  readonly workflowDefaults: TemplateToken | undefined
  readonly signal: AbortSignal
}

/** Runs the steps of a job in order; `raw` is the same job as written. After a failure only steps that ask for it run. */
export async function runJob(job: Job, raw: MappingToken, setting: JobSetting): Promise<JobRun> {
  const { machine, contexts, workflowEnv, workflowDefaults, signal } = setting
  const workflowScope = { contexts }
  const inherited = entriesOf(workflowEnv, workflowScope)
  const env = { ...inherited, ...entriesOf(job.env, { contexts: { ...contexts, env: inherited } }) }
  const rawSteps = [...stepsOf(raw)]
  const steps: StepRun[] = []
  let status: Status = 'success'
  for (const [index, step] of job.steps.entries()) {
    const rawStep = rawSteps[index]
    if (rawStep === undefined) throw new Error(`job ${job.id.value}: step ${index} is missing`)
    const run = await runStep(step, rawStep, {
      machine,
      index,
      contexts: { ...contexts, ...jobContexts(machine, steps, status) },
      status,
      env,
      defaults: {
        shell: runDefault('shell', raw.find('defaults'), workflowDefaults),
        workingDirectory: runDefault('working-directory', raw.find('defaults'), workflowDefaults),
      },
      signal,
    })
    steps.push(run)
    if (run.conclusion === 'failure') status = 'failure'
  }
  const scope = { contexts: { ...contexts, ...jobContexts(machine, steps, status), env } }
  const outputs = entriesOf(job.outputs, scope)
  return { id: job.id.value, conclusion: status, steps, outputs }
}

function jobContexts(machine: Machine, steps: readonly StepRun[], status: Status): Contexts {
  return {
    job: { status },
    runner: { os: 'Linux', temp: machine.temp },
    steps: Object.fromEntries(
      steps.map(({ id, outcome, conclusion, outputs }) => [id, { outcome, conclusion, outputs }]),
    ),
  }
}

/** The nearest `defaults.run.<key>`, or empty. */
function runDefault(key: string, ...defaults: (TemplateToken | undefined)[]): string {
  for (const token of defaults) {
    const run = token !== undefined && isMapping(token) ? token.find('run') : undefined
    const value = run !== undefined && isMapping(run) ? scalarText(run.find(key)) : undefined
    if (value !== undefined) return value
  }
  return ''
}
