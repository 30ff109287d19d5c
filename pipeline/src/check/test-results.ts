import { join, relative } from 'node:path'
import type { TestCase, TestModule, Vitest } from 'vitest/node'
import type { TestFailure, TestReport } from './test-report.ts'

/** All tests of a run, of all files. */
export function testsOf(vitest: Vitest): TestCase[] {
  return vitest.state.getTestModules().flatMap(({ children }) => Array.from(children.allTests()))
}

/** What is known of a run by now. */
export function resultsOf(
  directory: string,
  vitest: Vitest,
): Pick<TestReport, 'passed' | 'failed' | 'failures'> {
  const modules = vitest.state.getTestModules()
  const cases = testsOf(vitest)
  return {
    passed: cases.filter((test) => test.result().state === 'passed').length,
    failed: cases.filter((test) => test.result().state === 'failed').length,
    failures: [
      ...modules.flatMap((module) => failuresOf(directory, module, module.errors(), '')),
      ...cases.flatMap((test) =>
        failuresOf(directory, test.module, test.result().errors ?? [], test.fullName),
      ),
      ...vitest.state.getUnhandledErrors().map((error) => ({
        file: 'functions',
        test: '',
        message: `Unhandled error while the tests ran: ${error instanceof Error ? error.message : String(error)}`,
      })),
    ],
  }
}

interface SerializedError {
  readonly message: string
  readonly stacks?: readonly { file: string; line: number; column: number }[] | undefined
}

function failuresOf(
  directory: string,
  module: TestModule,
  errors: readonly SerializedError[],
  test: string,
): TestFailure[] {
  return errors.map(({ message, stacks = [] }) => {
    const own = stacks.find(({ file }) => file.startsWith(join(directory, 'functions')))
    return {
      file: relative(directory, own?.file ?? module.moduleId).replaceAll('\\', '/'),
      line: own?.line,
      column: own?.column,
      test,
      message,
    }
  })
}
