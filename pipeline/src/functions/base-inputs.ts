import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { simpleGit } from 'simple-git'
import { configFile, loadConfigFile } from '../config/load-config.ts'
import type { NeedleConfig } from '../config/needle-config.ts'
import { discover } from './discover.ts'
import { type FileTree, readCommittedTree } from './file-tree.ts'
import { createImportGraph } from './import-graph.ts'
import { type FunctionInputs, readInputs } from './inputs.ts'
import type { Survey } from './survey.ts'

/** Inputs as they were at `revision`, for comparison with a survey. */
export async function readBaseInputs(
  current: Survey,
  revision: string,
): Promise<ReadonlyMap<string, FunctionInputs>> {
  const tree = await readCommittedTree(current.directory, revision, current.tree)
  const { functions } = discover(tree)
  const graph = createImportGraph(tree)
  const config = await baseConfig(current, tree)
  return readInputs({ tree, graph, functions, config, scope: current.scope })
}

/**
 * The commit where this branch left `revision`: what others did there since is not this change's
 * doing. Null when there is no such revision; itself when the two have no common history here.
 */
export async function findBase(directory: string, revision: string): Promise<string | null> {
  const git = simpleGit(directory)
  const resolve = async (...args: string[]): Promise<string | null> => {
    try {
      return (await git.raw(args)).trim() || null
    } catch {
      // Git says no by failing, whether there is no repository, no commit or no such name
      return null
    }
  }
  return (
    (await resolve('merge-base', 'HEAD', revision)) ??
    (await resolve('rev-parse', '--verify', '--quiet', `${revision}^{commit}`))
  )
}

/** The configuration of another commit, loaded from a file of its own. One that no longer loads has no policies. */
async function baseConfig(
  current: Survey,
  tree: FileTree,
): Promise<Pick<NeedleConfig, 'policies'>> {
  const now = current.tree.get(configFile)
  const then = tree.get(configFile)
  if (then === undefined) return {}
  if (now !== undefined && Buffer.compare(now, then) === 0) return current.config
  const folder = join(current.directory, '.needle')
  const path = join(folder, `base-config-${process.pid}.ts`)
  await mkdir(folder, { recursive: true })
  await writeFile(path, then)
  try {
    return await loadConfigFile(path)
  } catch {
    return {}
  } finally {
    await rm(path, { force: true })
  }
}
