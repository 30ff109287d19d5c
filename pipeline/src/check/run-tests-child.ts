import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { startVitest, type TestCase, type Vitest } from 'vitest/node'
import * as z from 'zod'
import { runsFromSource, sourceExecArgv } from '../runs-from-source.ts'
import { reportStuckTests } from './report-stuck-tests.ts'
import { watchForStuckTests } from './stuck-tests.ts'
import type { TestReport, TestRequest } from './test-report.ts'
import { resultsOf, testsOf } from './test-results.ts'

// A process of its own: tests are author code, and vitest takes its process for itself.

async function runTests({ directory, folders, stuckAfterMs }: TestRequest): Promise<TestReport> {
  const reports = join(directory, '.needle', 'coverage')
  const conditions = [...(runsFromSource ? ['needle-source'] : []), 'node', 'import', 'default']
  const watch = watchForStuckTests(stuckAfterMs)
  const ended = startVitest(
    'test',
    folders.map((folder) => `${folder}/`),
    {
      root: directory,
      // one way to run tests for everyone; a repository's own vitest configuration is for its editor
      config: false,
      watch: false,
      include: ['functions/**/*.test.ts'],
      reporters: [watch.reporter],
      // what loops ends with this process; a process of its own would go on
      pool: 'threads',
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
  const stuck = watch.stuck.then((run) => reportStuckTests(directory, run, stuckAfterMs))
  const report = await Promise.race([ended.then(reportEnded), stuck])
  watch.stop()
  await rm(reports, { recursive: true, force: true })
  return report

  async function reportEnded(vitest: Vitest): Promise<TestReport> {
    const found = resultsOf(directory, vitest)
    const coveragePercent = await readCoverage(directory, reports, folders)
    await vitest.close()
    return {
      ...found,
      untested: folders.filter((folder) => !ranIn(directory, folder, testsOf(vitest))),
      coveragePercent,
    }
  }
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
