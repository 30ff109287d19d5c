import { resolve } from 'node:path'
import type { CommandIo, CommandResult } from '../commands/command.ts'
import { counted } from '../commands/counted.ts'
import { runStep } from '../commands/progress.ts'
import { writeBuildDirectory } from './build-directory.ts'
import { buildFunctions } from './build-functions.ts'
import { selectWork, type WorkOptions } from './select-work.ts'

export interface RunBuildOptions extends WorkOptions {
  readonly out: string
}

/** `needle build`. @throws PipelineError `CHECK_FAILED` with every issue */
export async function runBuild(io: CommandIo, options: RunBuildOptions): Promise<CommandResult> {
  const isWhole = options.base === undefined && options.plan === undefined
  const { surveyed, selection } = await selectWork(io, { ...options, all: isWhole })
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
