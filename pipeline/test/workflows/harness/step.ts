import { delimiter, join, resolve } from 'node:path'
import { readFile, writeFile } from 'node:fs/promises'
import type { Step } from '@actions/workflow-parser/model/workflow-template'
import type { MappingToken } from '@actions/workflow-parser/templates/tokens/mapping-token'
import { playedAction } from './actions/played-actions.ts'
import { readEnvironmentFile } from './environment-file.ts'
import { type Contexts, entriesOf, holds, type Status, textOf } from './expression.ts'
import type { Machine } from './machine.ts'
import { assertPlayed } from './played-keys.ts'
import { runScript } from './shell.ts'

export interface StepRun {
  readonly id: string
  readonly name: string
  /** What it came to; `continue-on-error` makes `conclusion` a success all the same. */
  readonly outcome: Status
  readonly conclusion: Status
  /** Everything printed, secrets included: masking them would hide the leaks a test looks for. */
  readonly log: string
  readonly outputs: Readonly<Record<string, string>>
  /** What it wrote to `GITHUB_STEP_SUMMARY`. */
  readonly summary: string
}

export interface StepSetting {
  readonly machine: Machine
  /** Number of the step in its job, for file names. */
  readonly index: number
  /** Contexts without `env`, which belongs to the step. */
  readonly contexts: Contexts
  /** Of the job so far. */
  readonly status: Status
  /** From workflow and job, evaluated. */
  readonly env: Readonly<Record<string, string>>
  /** `defaults.run` of job and workflow. */
  readonly defaults: { readonly shell: string; readonly workingDirectory: string }
  readonly signal: AbortSignal
}

/** Runs one step; `raw` is the same step as written. */
export async function runStep(step: Step, raw: MappingToken, s: StepSetting): Promise<StepRun> {
  assertPlayed('step', raw)
  if (!('run' in step) && !('uses' in step)) throw new Error(`line ${raw.line}: not played here`)
  const inherited = { ...s.env, ...s.machine.exported }
  const before = { contexts: { ...s.contexts, env: inherited }, status: s.status }
  const env = { ...inherited, ...entriesOf(step.env, before) }
  const scope = { contexts: { ...s.contexts, env }, status: s.status }
  const what = 'run' in step ? textOf(step.run, scope) : step.uses.value
  const name = step.name === undefined ? what : textOf(step.name, scope)
  const report = { id: step.id, name, outputs: {}, summary: '', log: '' }
  if (!holds(step.if, scope)) return { ...report, outcome: 'skipped', conclusion: 'skipped' }

  const done =
    'run' in step
      ? await runCommand(what, raw, env, scope.contexts, s)
      : await runAction(what, entriesOf(raw.find('with'), scope), s.machine)
  const forgiven = step['continue-on-error']?.toString() === 'true'
  const conclusion = forgiven ? 'success' : done.outcome
  return { ...report, ...done, conclusion }
}

type Done = Pick<StepRun, 'outcome' | 'log'> & Partial<StepRun>

async function runAction(
  uses: string,
  inputs: Readonly<Record<string, string>>,
  machine: Machine,
): Promise<Done> {
  const action = playedAction(uses)
  const unknown = Object.keys(inputs).find((name) => !action.inputs.includes(name))
  if (unknown !== undefined) throw new Error(`input "${unknown}" of ${uses} is not played here`)
  try {
    return { outcome: 'success', log: '', outputs: await action.run(inputs, machine) }
  } catch (cause) {
    return { outcome: 'failure', log: cause instanceof Error ? cause.message : String(cause) }
  }
}

async function runCommand(
  text: string,
  raw: MappingToken,
  env: Readonly<Record<string, string>>,
  contexts: Contexts,
  { machine, index, defaults, signal }: StepSetting,
): Promise<Done> {
  const file = (kind: string): string => join(machine.temp, `${index}-${kind}`)
  const files = {
    GITHUB_OUTPUT: file('output'),
    GITHUB_ENV: file('env'),
    GITHUB_PATH: file('path'),
    GITHUB_STEP_SUMMARY: file('summary'),
  }
  for (const path of Object.values(files)) await writeFile(path, '')
  const shell = raw.find('shell')
  const directory = raw.find('working-directory')
  const { exitCode, log } = await runScript({
    text,
    shell: shell === undefined ? defaults.shell : textOf(shell, { contexts }),
    file: file('script.sh'),
    cwd: resolve(
      machine.workspace,
      directory === undefined ? defaults.workingDirectory : textOf(directory, { contexts }),
    ),
    env: {
      ...machine.env,
      ...env,
      PATH: [...machine.pathPrefix, machine.env['PATH']].join(delimiter),
      ...files,
    },
    signal,
  })
  Object.assign(machine.exported, await readEnvironmentFile(files.GITHUB_ENV))
  machine.pathPrefix.unshift(...(await linesOf(files.GITHUB_PATH)).toReversed())
  return {
    outcome: exitCode === 0 ? 'success' : 'failure',
    log,
    outputs: await readEnvironmentFile(files.GITHUB_OUTPUT),
    summary: (await linesOf(files.GITHUB_STEP_SUMMARY)).join('\n'),
  }
}

async function linesOf(path: string): Promise<string[]> {
  return (await readFile(path, 'utf8')).split('\n').filter((line) => line !== '')
}
