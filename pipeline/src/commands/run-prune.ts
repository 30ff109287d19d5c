import { PipelineError } from '../errors.ts'
import { prune } from '../publish/prune.ts'
import { type CommandIo, finish } from './command.ts'
import { withSession } from './environment-session.ts'
import { counted } from './counted.ts'
import { runStep } from './progress.ts'
import type { PruneCommandOptions } from './prune.ts'

const dayMs = 24 * 60 * 60 * 1000

/** The implementation of `needle prune`. */
export async function runPrune(io: CommandIo, options: PruneCommandOptions): Promise<void> {
  const days = Number(options.days)
  if (!Number.isInteger(days) || days < 1) {
    throw new PipelineError(
      'USAGE_INVALID',
      `--days takes a whole number from 1, not "${options.days}"`,
    )
  }
  const apply = options.apply ?? false
  const result = await withSession(io, options, ({ store, trust }) =>
    runStep(io, {
      title: apply ? 'Pruning' : 'Looking for what could be pruned',
      run: () =>
        prune({
          store,
          root: trust.newest,
          keepSince: Date.now() - days * dayMs,
          apply,
          signal: io.signal,
        }),
    }),
  )
  const { objects, sizeBytes, keptObjects } = result
  const megabytes = (sizeBytes / 1024 / 1024).toFixed(1)
  finish(io, options, {
    text: [
      ...objects.map(({ key }) => `  ${key}`),
      objects.length === 0
        ? `Nothing to delete; ${keptObjects} objects are younger than ${days} d or named`
        : `${counted(objects.length, 'object')} (${megabytes} MiB) ${apply ? 'deleted' : 'would be deleted'}, ${keptObjects} kept${apply ? '' : '. Delete with --apply'}`,
    ].join('\n'),
    json: { applied: apply, sizeBytes, keptObjects, keys: objects.map(({ key }) => key) },
  })
}
