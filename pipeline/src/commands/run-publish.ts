import { resolve } from 'node:path'
import type { RolloutStep } from '@needle-faas/runtime/manifest'
import { readBuildDirectory } from '../build/build-directory.ts'
import { PipelineError } from '../errors.ts'
import { openGitRepository } from '../git/git-repository.ts'
import { findPullRequest } from '../github/pull-request.ts'
import { findRunUrl } from '../github/run-url.ts'
import { describeOutcome } from './describe-outcome.ts'
import { publishBuild } from '../publish/publish-build.ts'
import { type CommandIo, finish } from './command.ts'
import { actorOf, toPublisher, withSession } from './environment-session.ts'
import { counted } from './counted.ts'
import { runStep } from './progress.ts'
import type { PublishOptions } from './publish.ts'
import { runDryRun } from './run-dry-run.ts'

/** How long a step lasts at least unless something else decides: long enough for the breakers to judge. */
const bakeMs = 5 * 60 * 1000

/** The implementation of `needle publish`. */
export async function runPublish(io: CommandIo, options: PublishOptions): Promise<void> {
  const canarySteps = parseSteps(options)
  if (options.allowOlder && !options.reason) {
    throw new PipelineError('USAGE_INVALID', '--allow-older undoes merges, so it needs a --reason')
  }
  const build = await readBuildDirectory(resolve(io.cwd, options.build))
  const git = await openGitRepository(resolve(io.cwd, options.repository ?? '.'))
  if (options.dryRun) return runDryRun(io, options, { build, git, canarySteps })
  const result = await withSession(io, options, async (session) => {
    const publisher = await toPublisher(io, session, { ...options, what: 'code' })
    const { commit } = build.manifest
    const [pullRequest, actor] = await Promise.all([
      findPullRequest({ commit, env: io.env }),
      actorOf(io, options),
    ])
    const outcome = await runStep(io, {
      title: `Publishing ${commit.slice(0, 12)} to ${options.environment}`,
      run: async (say) => {
        const published = await publishBuild({
          publisher,
          build,
          git,
          origin: { pullRequest, build: findRunUrl(io.env) },
          actor,
          reason: options.reason,
          canarySteps,
          allowOlder: options.allowOlder,
        })
        say(counted(published.plan.changes.length, 'change'))
        return published
      },
    })
    return describeOutcome(options.environment, outcome)
  })
  finish(io, options, result)
}

function parseSteps(options: PublishOptions): readonly RolloutStep[] | undefined {
  if (options.canary === undefined) return undefined
  const first = parsePercent('--canary', options.canary)
  const rest = options.steps ?? (first === 100 ? '' : '100')
  const texts = rest === '' ? [] : rest.split(',')
  const weights = [first, ...texts.map((text) => parsePercent('--steps', text))]
  if (weights.some((weight, index) => index > 0 && weight <= (weights[index - 1] ?? 0))) {
    throw new PipelineError(
      'USAGE_INVALID',
      `The weights of a rollout rise: ${weights.join(', ')} do not`,
    )
  }
  return weights.map((weightPercent) => ({
    weightPercent,
    bakeMs: weightPercent === 100 ? 0 : bakeMs,
  }))
}

function parsePercent(option: string, text: string): number {
  const percent = /^\d{1,3}$/.test(text.trim()) ? Number(text) : Number.NaN
  if (percent >= 1 && percent <= 100) return percent
  throw new PipelineError(
    'USAGE_INVALID',
    `${option} takes whole percents from 1 to 100, not "${text}"`,
  )
}
