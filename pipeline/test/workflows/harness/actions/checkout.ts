import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { git } from '../git.ts'
import type { Machine } from '../machine.ts'
import type { PlayedAction } from './played-action.ts'

/**
 * actions/checkout: the event's commit in the workspace, with one commit of history unless
 * `fetch-depth` says otherwise (0 is all branches and tags), on a branch after a push and detached
 * for a pull request. Leaves a token on disk unless `persist-credentials` is false.
 */
export const checkout: PlayedAction = {
  inputs: ['fetch-depth', 'persist-credentials'],
  async run(inputs, machine) {
    const { workspace, origin, event } = machine
    const depth = Number(inputs['fetch-depth'] ?? 1)
    const tracking = event.ref
      .replace('refs/heads/', 'refs/remotes/origin/')
      .replace('refs/pull/', 'refs/remotes/pull/')
    await git(workspace, 'init', '--quiet')
    // Over a protocol: a clone from a plain path would ignore the depth.
    await git(workspace, 'remote', 'add', 'origin', pathToFileURL(origin.bare).href)
    const refs = [`+${event.sha}:${tracking}`]
    if (depth === 0) {
      const everything = ['+refs/heads/*:refs/remotes/origin/*', '+refs/tags/*:refs/tags/*']
      await git(workspace, 'fetch', '--quiet', '--no-tags', '--prune', 'origin', ...everything)
    }
    const shallow = depth === 0 ? [] : [`--depth=${depth}`]
    await git(workspace, 'fetch', '--quiet', '--no-tags', ...shallow, 'origin', ...refs)
    const branch = event.ref.startsWith('refs/heads/') ? event.ref.slice('refs/heads/'.length) : ''
    const how = branch === '' ? ['--detach', tracking] : ['-B', branch, tracking]
    await git(workspace, 'checkout', '--quiet', '--force', ...how)
    if (inputs['persist-credentials'] !== 'false') await persistToken(machine)
    return { commit: event.sha, ref: event.ref }
  },
}

async function persistToken({ workspace, temp }: Machine): Promise<void> {
  const file = join(temp, 'git-credentials.config')
  await writeFile(
    file,
    '[http "https://github.com/"]\n\textraheader = AUTHORIZATION: basic token\n',
  )
  await git(workspace, 'config', '--local', `includeIf.gitdir:${workspace}/.git.path`, file)
}
