import { readFile, rm } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { startVitest, type TestCase, type TestModule } from 'vitest/node'
import * as z from 'zod'
import { runsFromSource, sourceExecArgv } from '../runs-from-source.ts'
import type { TestFailure, TestReport, TestRequest } from './test-report.ts'

// A process of its own: tests are author code, and vitest takes its process for itself.

async function runTests({ directory, folders }: TestRequest): Promise<TestReport> {
  const reports = join(directory, '.needle', 'coverage')
  const conditions = [...(runsFromSource ? ['needle-source'] : []), 'node', 'import', 'default']
  const vitest = await startVitest(
    'test',
    folders.map((folder) => `${folder}/`),
    {
      root: directory,
      // one way to run tests for everyone; a repository's own vitest configuration is for its editor
      config: false,
      watch: false,
      include: ['functions/**/*.test.ts'],
      reporters: [{}],
      execArgv: [...sourceExecArgv],
      coverage: {
        enabled: true,
        provider: 'v8',
        include: folders.map((folder) => `${folder}/**/*.ts`),
        exclude: ['**/*.test.ts'],
        reporter: ['json-summary'],
        reportsDirectory: reports,
        clean: true,
      },
    },
    { resolve: { conditions }, ssr: { resolve: { conditions } } },
  )
  const modules = vitest.state.getTestModules()
  const cases = modules.flatMap((module) => [...module.children.allTests()])
  const report: TestReport = {
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
    untested: folders.filter((folder) => !ranIn(directory, folder, cases)),
    coveragePercent: await readCoverage(directory, reports, folders),
  }
  await vitest.close()
  await rm(reports, { recursive: true, force: true })
  return report
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

function ranIn(directory: string, folder: string, cases: readonly TestCase[]): boolean {
  return cases.some((test) => test.module.moduleId.startsWith(join(directory, folder, '/')))
}

const summarySchema = z.record(
  z.string(),
  z.object({ lines: z.object({ total: z.number(), covered: z.number() }) }),
)

async function readCoverage(
  directory: string,
  reports: string,
  folders: readonly string[],
): Promise<Record<string, number>> {
  const text = await readFile(join(reports, 'coverage-summary.json'), 'utf8').catch(() => '{}')
  const files = Object.entries(summarySchema.parse(JSON.parse(text)))
  return Object.fromEntries(
    folders.flatMap((folder) => {
      const own = files.filter(([path]) => path.startsWith(join(directory, folder, '/')))
      const total = own.reduce((sum, [, { lines }]) => sum + lines.total, 0)
      const covered = own.reduce((sum, [, { lines }]) => sum + lines.covered, 0)
      return total === 0 ? [] : [[folder, Math.round((100 * covered) / total)]]
    }),
  )
}

process.once('message', (request: TestRequest) => {
  void runTests(request).then(
    (report) => process.send?.(report, () => process.exit(0)),
    (error: unknown) => {
      process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`)
      process.exit(70)
    },
  )
})
