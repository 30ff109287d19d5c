import { relative } from 'node:path'
import type { TestCase } from 'vitest/node'
import type { StuckRun } from './stuck-tests.ts'
import type { TestReport } from './test-report.ts'
import { resultsOf, testsOf } from './test-results.ts'

/** Of a run that does not end by itself. What did not run was held up, not forgotten: `untested` is empty. */
export function reportStuckTests(
  directory: string,
  { vitest, files }: StuckRun,
  stuckAfterMs: number,
): TestReport {
  const found = resultsOf(directory, vitest)
  const tests = testsOf(vitest)
  const failures = files.map((file) => {
    const own = tests.filter(({ module }) => module.moduleId === file)
    return {
      file: relative(directory, file).replaceAll('\\', '/'),
      test: '',
      message: `Nothing was heard of it for ${stuckAfterMs / 1000} s, ${whereStuck(own)}: something loops, or waits for what never comes. The other tests were ended with it.`,
    }
  })
  return { ...found, failures: [...found.failures, ...failures], untested: [], coveragePercent: {} }
}

function whereStuck(tests: readonly TestCase[]): string {
  if (tests.length === 0) return 'while it was loaded'
  const open = tests.filter((test) => test.result().state === 'pending')
  if (open.length === 0) return 'after the last of its tests'
  const names = open.slice(0, 3).map(({ fullName }) => `"${fullName}"`)
  return `in one of its tests (no end was heard of ${names.join(', ')}${open.length > 3 ? ', …' : ''})`
}
