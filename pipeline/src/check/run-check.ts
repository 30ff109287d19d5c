import { resolve } from 'node:path'
import { describeFunctions } from '../build/describe-functions.ts'
import { neighboursOf } from '../build/build-functions.ts'
import { type PlanFile, readPlanFile } from '../build/plan-file.ts'
import type { CommandIo, CommandResult } from '../commands/command.ts'
import { runSteps, type Step } from '../commands/progress.ts'
import { selectEnvironment } from '../config/load-config.ts'
import type { Issue } from '../errors.ts'
import { exitCode } from '../exit-code.ts'
import { findRepository } from '../functions/find-repository.ts'
import { scopeOf } from '../functions/scope-of.ts'
import { type Selection, selectFunctions } from '../functions/select-functions.ts'
import { type Survey, survey } from '../functions/survey.ts'
import { describeNeighbours } from './describe-neighbours.ts'
import { formatCheck } from './format-check.ts'
import { lint, type ToolOptions } from './lint.ts'
import { checkTypes } from './types.ts'
import { runUnitTests, type UnitTests } from './unit-tests.ts'
import { findWholeIssues } from './whole-issues.ts'

export interface RunCheckOptions {
  readonly all?: boolean | undefined
  readonly base?: string | undefined
  readonly plan?: string | undefined
  readonly environment?: string | undefined
  readonly repository?: string | undefined
}

/** `needle check`: everything a pull request must pass. Problems are the result, not an exception. */
export async function runCheck(io: CommandIo, options: RunCheckOptions): Promise<CommandResult> {
  const directory = findRepository(io.cwd, options.repository)
  const surveyed = await survey(directory, scopeOf(options.environment))
  if (options.environment !== undefined) {
    selectEnvironment(surveyed.config, options.environment, { directory, env: io.env })
  }
  const selection = await selectFunctions(surveyed, {
    all: options.all,
    base: options.base,
    plan: await readPlan(io, options.plan),
  })
  const { issues, tests } = await checkSelection(surveyed, selection, {
    io,
    environment: options.environment ?? null,
  })
  const { affected, basis, released } = selection
  return {
    text: formatCheck({ functions: surveyed.functions.length, selection, issues, tests }),
    json: {
      basis,
      affected,
      released: [...released.keys()],
      issues,
      tests: { passed: tests.passed, coveragePercent: tests.coveragePercent },
    },
    exitCode: issues.length === 0 ? exitCode.ok : exitCode.refused,
  }
}

async function checkSelection(
  surveyed: Survey,
  selection: Selection,
  { io, environment }: { readonly io: CommandIo; readonly environment: string | null },
): Promise<{ readonly issues: readonly Issue[]; readonly tests: UnitTests }> {
  const tool: ToolOptions = { directory: surveyed.directory, env: io.env, signal: io.signal }
  const names = new Set(selection.affected.map(({ name }) => name))
  const sources = surveyed.functions.filter(({ name }) => names.has(name))
  let tests: UnitTests = { issues: [], passed: 0, coveragePercent: {} }

  const steps: Step<readonly Issue[]>[] = [
    {
      title:
        names.size === 0
          ? 'Routes and services'
          : `Bundling ${count(names.size)}, routes and services`,
      run: () => checkBundles(surveyed, selection, { io, environment }),
    },
  ]
  // what is released was linted, typed and tested: a revert has nothing to wait for
  if (names.size > 0) {
    steps.push(
      { title: 'Lint', run: () => lint(tool) },
      { title: 'Types', run: () => checkTypes(tool) },
      {
        title: `Tests of ${count(names.size)} and shared code`,
        run: async (say) => {
          tests = await runUnitTests(sources, surveyed.tree, tool)
          const failed = tests.issues.filter(({ code }) => code === 'TESTS_FAILED').length
          say(`${tests.passed} passed${failed === 0 ? '' : `, ${failed} failed`}`)
          return tests.issues
        },
      },
    )
  }
  const found = await runSteps(io, steps)
  const all = [...surveyed.issues, ...found.flat()]
  return { issues: withoutRepetitions(all), tests }
}

async function checkBundles(
  surveyed: Survey,
  selection: Selection,
  { io, environment }: { readonly io: CommandIo; readonly environment: string | null },
): Promise<readonly Issue[]> {
  const names = selection.affected.map(({ name }) => name)
  const known = new Set([...names, ...selection.released.keys()])
  const others = surveyed.functions.map(({ name }) => name).filter((name) => !known.has(name))
  const [described, neighbours] = await Promise.all([
    describeFunctions(surveyed, names, { signal: io.signal }),
    describeNeighbours(surveyed, others, io.signal),
  ])
  // in the order of the functions' names, so that of two on one route it is always the same that is named
  const whole = [...neighboursOf(surveyed, selection, described), ...neighbours].toSorted((a, b) =>
    a.name < b.name ? -1 : 1,
  )
  return [
    ...described.issues,
    ...findWholeIssues(whole, { environments: surveyed.config.environments, environment }),
  ]
}

/** Some things are seen by several tools; the first to say so is enough. */
function withoutRepetitions(issues: readonly Issue[]): readonly Issue[] {
  const seen = new Set<string>()
  return issues.filter(({ code, function: name, place, message }) => {
    const key = JSON.stringify(
      code === 'FUNCTION_NO_TEST' ? [code, name] : [code, name, place, message],
    )
    if (seen.has(key)) return false
    seen.add(key)
    return true
  })
}

async function readPlan(io: CommandIo, path: string | undefined): Promise<PlanFile | undefined> {
  return path === undefined ? undefined : readPlanFile(resolve(io.cwd, path))
}

function count(functions: number): string {
  return functions === 1 ? '1 function' : `${functions} functions`
}
