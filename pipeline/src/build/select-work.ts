import { resolve } from 'node:path'
import { selectEnvironment } from '../config/load-config.ts'
import { findRepository } from '../functions/find-repository.ts'
import { scopeOf } from '../functions/scope-of.ts'
import {
  type Selection,
  type SelectOptions,
  selectFunctions,
} from '../functions/select-functions.ts'
import { type Survey, survey } from '../functions/survey.ts'
import { readPlanFile } from './plan-file.ts'

export interface WorkOptions extends Pick<SelectOptions, 'base'> {
  /** Path of a plan file, relative to the working directory. */
  readonly plan?: string | undefined
  readonly environment?: string | undefined
  readonly repository?: string | undefined
}

/**
 * The functions of the repository, and those of them that there is something to do about.
 *
 * @throws PipelineError `CONFIG_*`, `PLAN_INVALID`, and where the environment is not configured
 */
export async function selectWork(
  {
    cwd,
    env,
  }: { readonly cwd: string; readonly env: Readonly<Record<string, string | undefined>> },
  { repository, environment, base, plan, all }: WorkOptions & Pick<SelectOptions, 'all'>,
): Promise<{ readonly surveyed: Survey; readonly selection: Selection }> {
  const directory = findRepository(cwd, repository)
  const surveyed = await survey(directory, scopeOf(environment))
  if (environment !== undefined) selectEnvironment(surveyed.config, environment, { directory, env })
  const selection = await selectFunctions(surveyed, {
    all,
    base,
    plan: plan === undefined ? undefined : await readPlanFile(resolve(cwd, plan)),
  })
  return { surveyed, selection }
}
