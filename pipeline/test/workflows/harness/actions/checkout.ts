import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { WorkflowEvent } from '../event.ts'
import { git } from '../git.ts'
import type { Machine } from '../machine.ts'
import type { Origin } from '../origin.ts'
import type { PlayedAction } from './played-action.ts'

/**
 * actions/checkout: the event's commit in the workspace, or the tip of the branch that `ref` names,
 * with one commit of history unless `fetch-depth` says otherwise (0 is all branches and tags), on a
 * branch after a push and detached for a pull request. Leaves a token on disk unless
 * `persist-credentials` is false.
 */
export const checkout: PlayedAction = {
  inputs: ['fetch-depth', 'persist-credentials', 'ref'],
  async run(inputs, machine) {
    const { workspace, origin } = machine
    const wanted = inputs['ref'] === undefined ? machine.event : await tipOf(inputs['ref'], origin)
    const depth = Number(inputs['fetch-depth'] ?? 1)
    const tracking = wanted.ref
      .replace('refs/heads/', 'refs/remotes/origin/')
      .replace('refs/pull/', 'refs/remotes/pull/')
    await git(workspace, 'init', '--quiet')
    // Over a protocol: a clone from a plain path would ignore the depth.
    await git(workspace, 'remote', 'add', 'origin', pathToFileURL(origin.bare).href)
    const refs = [`+${wanted.sha}:${tracking}`]
    if (depth === 0) {
      const everything = ['+refs/heads/*:refs/remotes/origin/*', '+refs/tags/*:refs/tags/*']
      await git(workspace, 'fetch', '--quiet', '--no-tags', '--prune', 'origin', ...everything)
    }
    const shallow = depth === 0 ? [] : [`--depth=${depth}`]
    await git(workspace, 'fetch', '--quiet', '--no-tags', ...shallow, 'origin', ...refs)
    const branch = wanted.ref.startsWith('refs/heads/')
      ? wanted.ref.slice('refs/heads/'.length)
      : ''
    const how = branch === '' ? ['--detach', tracking] : ['-B', branch, tracking]
    await git(workspace, 'checkout', '--quiet', '--force', ...how)
    if (inputs['persist-credentials'] !== 'false') await persistToken(machine)
    return { commit: wanted.sha, ref: wanted.ref }
  },
}

async function tipOf(
  branch: string,
  { bare }: Origin,
): Promise<Pick<WorkflowEvent, 'ref' | 'sha'>> {
  const ref = `refs/heads/${branch}`
  return { ref, sha: await git(bare, 'rev-parse', '--verify', ref) }
}

async function persistToken({ workspace, temp }: Machine): Promise<void> {
  const file = join(temp, 'git-credentials.config')
  await writeFile(
    file,
    '[http "https://github.com/"]\n\textraheader = AUTHORIZATION: basic token\n',
  )
  await git(workspace, 'config', '--local', `includeIf.gitdir:${workspace}/.git.path`, file)
}
