import { relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as z from 'zod'
import { type Issue, PipelineError } from '../errors.ts'
import { functionOfPath } from '../functions/function-of-path.ts'
import { runTool, toolEnv, toolPath } from './run-tool.ts'

export interface ToolOptions {
  /** Repository root. */
  readonly directory: string
  readonly env: Readonly<Record<string, string | undefined>>
  readonly signal?: AbortSignal | undefined
}

const reportSchema = z.object({
  diagnostics: z.array(
    z.object({
      message: z.string(),
      severity: z.string(),
      filename: z.string(),
      code: z.string().optional(),
      help: z.string().optional(),
      labels: z.array(z.object({ span: z.object({ line: z.number(), column: z.number() }) })),
    }),
  ),
})

const configPath = fileURLToPath(new URL('../../functions.oxlintrc.json', import.meta.url))

/** Lints everything below `functions/` with Needle's rules, types included. Errors only; a warning stops nobody. */
export async function lint({ directory, env, signal }: ToolOptions): Promise<readonly Issue[]> {
  const { stdout, stderr } = await runTool(
    toolPath('oxlint', 'bin/oxlint'),
    ['--config', configPath, '--type-aware', '--quiet', '--format=json', 'functions'],
    {
      cwd: directory,
      env: {
        ...toolEnv(env),
        OXLINT_TSGOLINT_PATH: toolPath('oxlint-tsgolint', 'bin/tsgolint.js'),
      },
      signal,
    },
  )
  const report = parseReport(stdout)
  if (report === null) {
    throw new PipelineError('TOOL_FAILED', `oxlint could not run: ${(stderr || stdout).trim()}`)
  }
  return report.diagnostics
    .filter(({ severity }) => severity === 'error')
    .map(({ message, filename, code, help, labels }) => {
      const file = relative(directory, filename).replaceAll('\\', '/')
      const path = file.startsWith('..') ? filename : file
      return {
        code: 'LINT_FAILED',
        function: functionOfPath(path),
        message: [message, help, code === undefined ? undefined : `(${code})`]
          .filter((part) => part !== undefined)
          .join(' '),
        place: { file: path, line: labels[0]?.span.line, column: labels[0]?.span.column },
      }
    })
}

function parseReport(text: string): z.infer<typeof reportSchema> | null {
  try {
    return reportSchema.parse(JSON.parse(text))
  } catch {
    // the caller reports the text itself
    return null
  }
}
