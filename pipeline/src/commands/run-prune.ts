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
  const days = parseDays('--days', options.days)
  const silentDays = parseDays('--silent-days', options.silentDays)
  const apply = options.apply ?? false
  const result = await withSession(io, options, ({ store, trust }) =>
    runStep(io, {
      title: apply ? 'Pruning' : 'Looking for what could be pruned',
      run: () =>
        prune({
          store,
          root: trust.newest,
          now: Date.now(),
          keepMs: days * dayMs,
          silentMs: silentDays * dayMs,
          apply,
          signal: io.signal,
        }),
    }),
  )
  const { objects, keptObjects, reports, keptReports, sizeBytes } = result
  const garbage = [...objects, ...reports]
  const megabytes = (sizeBytes / 1024 / 1024).toFixed(1)
  const done = apply ? 'deleted' : 'would be deleted'
  const ofInstances = `${counted(reports.length, 'report')} of instances silent for ${silentDays} d`
  finish(io, options, {
    text: [
      ...garbage.map(({ key }) => `  ${key}`),
      garbage.length === 0
        ? `Nothing to delete; ${keptObjects} objects are younger than ${days} d or named, and ${counted(keptReports, 'report')} of instances younger than ${silentDays} d or needed by a rollout`
        : `${counted(objects.length, 'object')} and ${ofInstances} (${megabytes} MiB) ${done}, ${keptObjects} and ${keptReports} kept${apply ? '' : '. Delete with --apply'}`,
    ].join('\n'),
    json: {
      applied: apply,
      sizeBytes,
      keptObjects,
      keptReports,
      reports: reports.length,
      keys: garbage.map(({ key }) => key),
    },
  })
}

function parseDays(option: string, typed: string): number {
  const days = Number(typed)
  if (Number.isInteger(days) && days >= 1) return days
  throw new PipelineError('USAGE_INVALID', `${option} takes a whole number from 1, not "${typed}"`)
}
