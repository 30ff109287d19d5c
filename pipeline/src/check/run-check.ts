import { describeFunctions } from '../build/describe-functions.ts'
import { neighboursOf } from '../build/build-functions.ts'
import { selectWork, type WorkOptions } from '../build/select-work.ts'
import type { CommandIo, CommandResult } from '../commands/command.ts'
import { counted } from '../commands/counted.ts'
import { runSteps, type Step } from '../commands/progress.ts'
import type { Issue } from '../errors.ts'
import { exitCode } from '../exit-code.ts'
import type { Selection } from '../functions/select-functions.ts'
import type { Survey } from '../functions/survey.ts'
import { describeNeighbours } from './describe-neighbours.ts'
import { formatCheck } from './format-check.ts'
import { lint, type ToolOptions } from './lint.ts'
import { findPolicyIssues } from './policy-issues.ts'
import { checkTypes } from './types.ts'
import { runUnitTests, type UnitTests } from './unit-tests.ts'
import { findWholeIssues } from './whole-issues.ts'

export interface RunCheckOptions extends WorkOptions {
  readonly all?: boolean | undefined
}

/** `needle check`: everything a pull request must pass. Problems are the result, not an exception. */
export async function runCheck(io: CommandIo, options: RunCheckOptions): Promise<CommandResult> {
  const { surveyed, selection } = await selectWork(io, options)
  const { issues, tests } = await checkSelection(surveyed, selection, {
    io,
    environment: options.environment ?? null,
    // A revert that takes a function away leaves its policy behind, and nothing stops a merge of that.
    policies: options.plan === undefined,
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

interface CheckContext {
  readonly io: CommandIo
  /** Its services are demanded; null: those of any environment will do. */
  readonly environment: string | null
}

async function checkSelection(
  surveyed: Survey,
  selection: Selection,
  { io, environment, policies }: CheckContext & { readonly policies: boolean },
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
          : `Bundling ${counted(names.size, 'function')}, routes and services`,
      run: () => checkBundles(surveyed, selection, { io, environment }),
    },
  ]
  // what is released was linted, typed and tested: a revert has nothing to wait for
  if (names.size > 0) {
    steps.push(
      { title: 'Lint', run: () => lint(tool) },
      { title: 'Types', run: () => checkTypes(tool) },
      {
        title: `Tests of ${counted(names.size, 'function')} and shared code`,
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
  const present = surveyed.functions.map(({ name }) => name)
  const misnamed = policies ? findPolicyIssues(surveyed.config, present) : []
  const all = [...surveyed.issues, ...misnamed, ...found.flat()]
  return { issues: withoutRepetitions(all), tests }
}

async function checkBundles(
  surveyed: Survey,
  selection: Selection,
  { io, environment }: CheckContext,
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
