import type { PlanFile, ReleasedFunction } from '../build/plan-file.ts'
import { PipelineError } from '../errors.ts'
import { type Affected, findAffected } from './affected.ts'
import { findBase, readBaseInputs } from './base-inputs.ts'
import type { Survey } from './survey.ts'

export interface SelectOptions {
  /** Take every function that is not released. */
  readonly all?: boolean | undefined
  /** Commit to compare with. Default: where the branch left `origin/main`, unless there is a plan. */
  readonly base?: string | undefined
  readonly plan?: PlanFile | undefined
}

export interface Selection {
  /** What is to be checked or built, and why. Sorted by name. */
  readonly affected: readonly Affected[]
  /** Functions whose release is in the store already, by name. */
  readonly released: ReadonlyMap<string, ReleasedFunction>
  /** What the functions were compared with, in words. */
  readonly basis: string
}

/** Decides which functions of a survey need work. */
export async function selectFunctions(survey: Survey, options: SelectOptions): Promise<Selection> {
  const released = releasedOf(survey, options.plan)
  const { affected, basis } = await candidates(survey, options)
  return { affected: affected.filter(({ name }) => !released.has(name)), released, basis }
}

function releasedOf(
  survey: Survey,
  plan: PlanFile | undefined,
): ReadonlyMap<string, ReleasedFunction> {
  if (plan === undefined) return new Map()
  if (plan.scope !== survey.scope) {
    throw new PipelineError(
      'PLAN_INVALID',
      `The plan is for ${plan.scope} ("${plan.environment}"), this is a ${survey.scope} build. Plan again with the same --environment.`,
    )
  }
  // a plan made of another state of the tree is no danger: what differs is not skipped
  return new Map(
    plan.released
      .filter(({ name, inputs }) => survey.inputs.get(name)?.digest === inputs)
      .map((entry) => [entry.name, entry]),
  )
}

async function candidates(
  survey: Survey,
  { all, base, plan }: SelectOptions,
): Promise<Pick<Selection, 'affected' | 'basis'>> {
  const every = (reason: string): readonly Affected[] =>
    survey.functions.map(({ name }) => ({ name, reasons: [reason] }))
  if (all === true) return { affected: every('--all'), basis: 'all functions' }
  if (base === undefined && plan !== undefined) {
    return {
      affected: every('not released from these inputs yet'),
      basis: `the releases of "${plan.environment}"`,
    }
  }
  const revision = await findBase(survey.directory, base ?? 'origin/main')
  if (revision === null && base !== undefined) {
    throw new PipelineError(
      'USAGE_INVALID',
      `Git does not know "${base}". Fetch it first (a CI checkout needs the full history), or use --all.`,
      { details: { base } },
    )
  }
  if (revision === null) {
    return { affected: every('nothing to compare with'), basis: 'all functions' }
  }
  const before = await readBaseInputs(survey, revision)
  return {
    affected: findAffected(before, survey.inputs),
    basis: `${base ?? 'origin/main'} (${revision.slice(0, 7)})`,
  }
}
