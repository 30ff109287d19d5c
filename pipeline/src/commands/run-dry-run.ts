import { systemClock } from '@needle-faas/runtime/store'
import { type Annotation, toWorkflowCommand } from '../github/annotation.ts'
import { type DryRun, dryRunBuild, type DryRunRequest } from '../publish/dry-run-build.ts'
import { type CommandIo, finish } from './command.ts'
import { describeDryRun } from './describe-dry-run.ts'
import { withSession } from './environment-session.ts'
import { runStep } from './progress.ts'
import type { PublishOptions } from './publish.ts'

/** `needle publish --dry-run`. A workflow run also shows at its file what would not go ahead. */
export async function runDryRun(
  io: CommandIo,
  options: PublishOptions,
  request: Pick<DryRunRequest, 'build' | 'git' | 'canarySteps'>,
): Promise<void> {
  const { environment, allowOlder } = options
  const dryRun = await withSession(io, options, ({ access }) =>
    runStep(io, {
      title: `Looking at what ${environment} would be`,
      run: () => dryRunBuild({ ...request, access, allowOlder, now: systemClock.now() }),
    }),
  )
  if (io.env['GITHUB_ACTIONS'] === 'true') {
    const names = new Set(request.build.manifest.functions.map(({ name }) => name))
    const annotations = annotationsOf(dryRun, names)
    for (const each of annotations) io.stderr(`${toWorkflowCommand(each)}\n`)
  }
  finish(io, options, describeDryRun(environment, dryRun))
}

/** What is held elsewhere is in the text: it is no remark on this change. */
function annotationsOf(
  { refusals, kept }: DryRun,
  built: ReadonlySet<string>,
): readonly Annotation[] {
  return [
    ...refusals.flatMap(({ code, function: name, message }): Annotation[] =>
      name === null ? [] : [{ level: 'error', file: fileOf(name), title: code, message }],
    ),
    ...kept
      .filter((each) => built.has(each.function))
      .map(({ function: name, text }): Annotation => {
        const message = `A merge does not change ${name}: ${text}`
        return { level: 'warning', file: fileOf(name), title: 'FUNCTION_HELD', message }
      }),
  ]
}

function fileOf(name: string): string {
  return `functions/${name}/index.ts`
}
