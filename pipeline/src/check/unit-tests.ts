import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { type Issue, PipelineError } from '../errors.ts'
import { type FunctionSource, sharedFolder } from '../functions/discover.ts'
import type { FileTree } from '../functions/file-tree.ts'
import { functionOfPath } from '../functions/function-of-path.ts'
import { siblingScript, sourceExecArgv } from '../runs-from-source.ts'
import type { ToolOptions } from './lint.ts'
import { toolEnv } from './run-tool.ts'
import type { TestReport, TestRequest } from './test-report.ts'

export interface UnitTests {
  readonly issues: readonly Issue[]
  readonly passed: number
  /** By function: lines that its tests ran, in percent. */
  readonly coveragePercent: Readonly<Record<string, number>>
}

/** Six of the limits that vitest sets to hooks: on a busy machine loading a file takes seconds. */
const stuckAfterMs = 60_000

export interface UnitTestOptions extends ToolOptions {
  /** A test file of which nothing is heard for so long has failed. Default: a minute. */
  readonly stuckAfterMs?: number | undefined
}

/**
 * Runs the unit tests of these functions, and of their groups' shared code, with coverage, in a
 * process that knows no secrets. Comes to an end whatever they do.
 */
export async function runUnitTests(
  functions: readonly FunctionSource[],
  tree: FileTree,
  options: UnitTestOptions,
): Promise<UnitTests> {
  if (functions.length === 0) return { issues: [], passed: 0, coveragePercent: {} }
  const own = functions.map(({ directory }) => directory)
  const shared = [...new Set(functions.map(({ group }) => `functions/${group}/${sharedFolder}`))]
  const testFiles = [...tree.keys()].filter((path) => path.endsWith('.test.ts'))
  const folders = [
    ...own,
    ...shared.filter((folder) => testFiles.some((path) => path.startsWith(`${folder}/`))),
  ]
  const report = await runChild(
    {
      directory: options.directory,
      folders,
      stuckAfterMs: options.stuckAfterMs ?? stuckAfterMs,
    },
    options,
  )
  return {
    issues: [
      ...report.failures.map(({ file, line, column, test, message }): Issue => {
        const [first = ''] = message.split('\n')
        return {
          code: 'TESTS_FAILED',
          function: functionOfPath(file),
          message: test === '' ? first : `${test}: ${first}`,
          place: { file, line, column },
        }
      }),
      ...report.untested
        .filter((folder) => own.includes(folder))
        .filter((folder) => !report.failures.some(({ file }) => file.startsWith(`${folder}/`)))
        .map((folder): Issue => ({
          code: 'FUNCTION_NO_TEST',
          function: folder.slice('functions/'.length),
          message: 'None of its tests ran. Add an index.test.ts with at least one test.',
          place: { file: folder },
        })),
    ],
    passed: report.passed,
    coveragePercent: Object.fromEntries(
      Object.entries(report.coveragePercent).map(([folder, percent]) => [
        folder.slice('functions/'.length),
        percent,
      ]),
    ),
  }
}

function runChild(
  request: TestRequest,
  { directory, env, signal }: ToolOptions,
): Promise<TestReport> {
  return new Promise((resolve, reject) => {
    const child = fork(fileURLToPath(siblingScript('./run-tests-child', import.meta.url)), [], {
      cwd: directory,
      env: { ...toolEnv(env), NODE_ENV: 'test' },
      execArgv: [...sourceExecArgv, '--no-warnings'],
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      signal,
    })
    let output = ''
    child.stdout?.on('data', (chunk: Buffer) => (output += chunk.toString()))
    child.stderr?.on('data', (chunk: Buffer) => (output += chunk.toString()))
    child.on('message', (report: TestReport) => resolve(report))
    child.on('error', reject)
    child.on('exit', () =>
      reject(new PipelineError('TOOL_FAILED', `The tests could not be run: ${output.trim()}`)),
    )
    child.send(request)
  })
}
