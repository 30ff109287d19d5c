import { resolve } from 'node:path'
import type { CommandIo, CommandResult } from '../commands/command.ts'
import { counted } from '../commands/counted.ts'
import { runStep } from '../commands/progress.ts'
import { selectEnvironment } from '../config/load-config.ts'
import { findRepository } from '../functions/find-repository.ts'
import { scopeOf } from '../functions/scope-of.ts'
import { selectFunctions } from '../functions/select-functions.ts'
import { survey } from '../functions/survey.ts'
import { writeBuildDirectory } from './build-directory.ts'
import { buildFunctions } from './build-functions.ts'
import { readPlanFile } from './plan-file.ts'

export interface RunBuildOptions {
  readonly out: string
  readonly environment?: string | undefined
  readonly base?: string | undefined
  readonly plan?: string | undefined
  readonly repository?: string | undefined
}

/** `needle build`. @throws PipelineError `CHECK_FAILED` with every issue */
export async function runBuild(io: CommandIo, options: RunBuildOptions): Promise<CommandResult> {
  const directory = findRepository(io.cwd, options.repository)
  const surveyed = await survey(directory, scopeOf(options.environment))
  if (options.environment !== undefined) {
    selectEnvironment(surveyed.config, options.environment, { directory, env: io.env })
  }
  const plan =
    options.plan === undefined ? undefined : await readPlanFile(resolve(io.cwd, options.plan))
  const selection = await selectFunctions(surveyed, {
    all: options.base === undefined && plan === undefined,
    base: options.base,
    plan,
  })
  const { manifest, objects } = await runStep(io, {
    title: `Bundling ${selection.affected.length} of ${counted(surveyed.functions.length, 'function')}`,
    run: (say) =>
      buildFunctions(surveyed, selection, {
        environment: options.environment ?? null,
        signal: io.signal,
        onProgress: (done, total) => say(`${done}/${total}`),
      }),
  })
  const out = resolve(io.cwd, options.out)
  await writeBuildDirectory(out, manifest, objects)

  const built = manifest.functions.filter(({ status }) => status === 'built').length
  const reused = manifest.functions.length - built
  const notes = [
    manifest.dirty ? 'Files are not committed: this build cannot be published.' : null,
    manifest.complete ? null : 'Only affected functions: this build cannot be published.',
  ].filter((note) => note !== null)
  return {
    text: [`Built ${built}, reused ${reused} → ${out}`, ...notes].join('\n'),
    json: { directory: out, built, reused, ...manifest },
  }
}
