import { settingsDigestOf } from '@needle-faas/runtime/manifest'
import { simpleGit } from 'simple-git'
import { findWholeIssues, type Neighbour } from '../check/whole-issues.ts'
import { rolloutPlanOf } from '../config/rollout-policy.ts'
import { type Issue, PipelineError } from '../errors.ts'
import type { Selection } from '../functions/select-functions.ts'
import type { Survey } from '../functions/survey.ts'
import { toBuiltObject } from './build-directory.ts'
import type { BuildManifest, BuiltFunction, ReusedFunction } from './build-manifest.ts'
import {
  type DescribedFunctions,
  type DescribeFunctionsOptions,
  describeFunctions,
} from './describe-functions.ts'

export interface Build {
  readonly manifest: BuildManifest
  /** Bytes by file name. */
  readonly objects: ReadonlyMap<string, Uint8Array>
}

export interface BuildOptions extends DescribeFunctionsOptions {
  /** Checked against its services; null: against all that any environment declares. */
  readonly environment: string | null
}

/**
 * Builds what is selected. Runs author code (in a child); writes nothing.
 *
 * @throws PipelineError `CHECK_FAILED` with every issue of every function
 */
export async function buildFunctions(
  survey: Survey,
  selection: Selection,
  options: BuildOptions,
): Promise<Build> {
  const names = selection.affected.map(({ name }) => name)
  const [described, commit] = await Promise.all([
    describeFunctions(survey, names, options),
    readCommit(survey.directory),
  ])
  assertNoIssues([
    ...survey.issues.filter(
      ({ code }) => code !== 'FUNCTION_NO_TEST' && code !== 'FUNCTION_NO_README',
    ),
    ...described.issues,
    ...findWholeIssues(neighboursOf(survey, selection, described), {
      environments: survey.config.environments,
      environment: options.environment,
    }),
  ])

  const objects = new Map<string, Uint8Array>()
  const functions: (BuiltFunction | ReusedFunction)[] = []
  for (const { name } of survey.functions) {
    const inputs = survey.inputs.get(name)?.digest
    if (inputs === undefined) continue
    // Nobody but its reviewers sees a preview: there is no one to spare.
    const plan = survey.scope === 'production' ? rolloutPlanOf(survey.config, name) : null
    const rollout = plan === null ? {} : { rollout: plan }
    const released = selection.released.get(name)
    if (released !== undefined) {
      functions.push({ status: 'reused', name, inputs, release: released.release, ...rollout })
    }
    const built = described.described.get(name)
    if (built === undefined) continue
    const { bundle, settings, contract } = built
    const artifact = toBuiltObject(bundle.script, '')
    const sourceMap = toBuiltObject(bundle.sourceMap, '.map')
    objects.set(artifact.file, bundle.script).set(sourceMap.file, bundle.sourceMap)
    functions.push({
      status: 'built',
      name,
      inputs,
      artifact,
      sourceMap,
      settings,
      settingsDigest: settingsDigestOf(settings),
      contract,
      ...rollout,
    })
  }
  return {
    manifest: {
      specVersion: 1,
      ...commit,
      scope: survey.scope,
      environment: options.environment,
      complete: functions.length === survey.functions.length,
      functions,
    },
    objects,
  }
}

/** Everything whose routes and services are known: what was just described, and what is released. */
export function neighboursOf(
  survey: Survey,
  selection: Selection,
  { described }: DescribedFunctions,
): readonly Neighbour[] {
  return survey.functions.flatMap(({ name, entry }) => {
    const settings = described.get(name)?.settings ?? selection.released.get(name)?.settings
    if (settings === undefined) return []
    return [
      { name, settings, entryText: Buffer.from(survey.tree.get(entry) ?? []).toString('utf8') },
    ]
  })
}

function assertNoIssues(issues: readonly Issue[]): void {
  if (issues.length === 0) return
  const functions = new Set(issues.map((issue) => issue.function))
  throw new PipelineError(
    'CHECK_FAILED',
    `${issues.length} problem${issues.length === 1 ? '' : 's'} in ${functions.size} function${functions.size === 1 ? '' : 's'}; nothing was built.`,
    { issues },
  )
}

async function readCommit(directory: string): Promise<Pick<BuildManifest, 'commit' | 'dirty'>> {
  const git = simpleGit(directory)
  try {
    const [commit, status] = await Promise.all([
      git.revparse(['HEAD']),
      git.raw([
        'status',
        '--porcelain',
        '--untracked-files=all',
        '--',
        'functions',
        'package-lock.json',
      ]),
    ])
    return { commit: commit.trim(), dirty: status.trim() !== '' }
  } catch (cause) {
    throw new PipelineError(
      'REPOSITORY_MISSING',
      `${directory} is no Git repository with a commit. Functions are built from commits: run "git init" and commit first.`,
      { cause },
    )
  }
}
