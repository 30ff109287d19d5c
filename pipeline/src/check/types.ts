import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Issue, PipelineError } from '../errors.ts'
import { functionOfPath } from '../functions/function-of-path.ts'
import type { ToolOptions } from './lint.ts'
import { runTool, toolEnv, toolPath } from './run-tool.ts'

/**
 * Checks the types of everything below `functions/`, by `functions/tsconfig.json` or else by the
 * repository's `tsconfig.json` narrowed to that folder. What has not changed since the last time is
 * not checked again (`.needle/`).
 */
export async function checkTypes({
  directory,
  env,
  signal,
}: ToolOptions): Promise<readonly Issue[]> {
  const { stdout, stderr, exitCode } = await runTool(
    toolPath('typescript', 'bin/tsc'),
    [
      '--noEmit',
      '--pretty',
      'false',
      '--incremental',
      '--tsBuildInfoFile',
      '.needle/types.tsbuildinfo',
      '-p',
      await projectOf(directory),
    ],
    { cwd: directory, env: toolEnv(env), signal },
  )
  if (exitCode === 0) return []
  const issues = parseDiagnostics(stdout)
  if (issues.length === 0) {
    throw new PipelineError('TOOL_FAILED', `tsc could not run: ${(stderr || stdout).trim()}`)
  }
  return issues
}

async function projectOf(directory: string): Promise<string> {
  const own = join(directory, 'functions', 'tsconfig.json')
  if (existsSync(own)) return own
  if (!existsSync(join(directory, 'tsconfig.json'))) {
    throw new PipelineError(
      'TYPES_FAILED',
      'There is no tsconfig.json. Add one with "strict", "module": "nodenext" and "allowImportingTsExtensions".',
    )
  }
  const project = join(directory, '.needle', 'tsconfig.json')
  await mkdir(join(directory, '.needle'), { recursive: true })
  await writeFile(
    project,
    `${JSON.stringify({ extends: '../tsconfig.json', include: ['../functions'], exclude: ['../**/node_modules'] })}\n`,
  )
  return project
}

function parseDiagnostics(text: string): readonly Issue[] {
  const issues: Issue[] = []
  for (const line of text.split('\n')) {
    const match = /^(?:(.+?)\((\d+),(\d+)\): )?error (TS\d+): (.+)$/.exec(line)
    if (match === null) continue
    const [, file, row, column, code, message] = match
    issues.push({
      code: 'TYPES_FAILED',
      function: file === undefined ? null : functionOfPath(file),
      message: `${message} (${code})`,
      place: file === undefined ? null : { file, line: Number(row), column: Number(column) },
    })
  }
  return issues
}
