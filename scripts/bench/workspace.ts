import { mkdir, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { type SimpleGit, simpleGit } from 'simple-git'
import { createDeployer, type DeployRequest, type Deployment } from '../playground/deploy.ts'
import {
  type PlaygroundDirectories,
  playgroundDirectories,
  projectRoot,
} from '../playground/directories.ts'
import { prepareTrust } from '../playground/prepare-trust.ts'
import { seedRepository } from '../playground/seed-repository.ts'
import { type StoreEnv, storeEnv } from '../playground/store-access.ts'

/** Content by path relative to the repository. */
export type Files = Readonly<Record<string, string>>

export interface Push {
  readonly commit: string
  /** When the push began, in `performance.now()` milliseconds. */
  readonly startedAt: number
}

/** A Git origin with functions, a store and keys, ready to be deployed from: the playground without its loop. */
export interface Workspace {
  readonly directories: PlaygroundDirectories
  readonly store: StoreEnv
  /** Commits the files to `main` of the origin, as a merge does. */
  merge(files: Files, subject: string): Promise<Push>
  /** Reverts the newest commit of `main`. */
  revert(): Promise<Push>
  /**
   * Plans, builds and publishes a commit of the origin as the workflow does, without the checks.
   *
   * @throws Error with its output when a phase fails
   */
  deployUnchecked(
    commit: string,
    reason: string,
    how?: Pick<DeployRequest, 'canaryPercent'>,
  ): Promise<Deployment>
  close(): Promise<void>
  /** What a BFF that serves `group` from here needs to know (see `servers/needle.ts`). */
  bffEnv(group: string): StoreEnv
}

/** Makes a workspace anew in `.needle/<name>`: below the checkout, so that its packages are found. */
export async function createWorkspace(name: string, files: Files): Promise<Workspace> {
  const directories = playgroundDirectories(join(projectRoot, '.needle', name))
  await rm(directories.root, { recursive: true, force: true })
  await mkdir(directories.root, { recursive: true })
  const store = await storeEnv(directories)
  await seedRepository(directories, store['NEEDLE_STORE'])
  await prepareTrust(directories, store)
  const work = simpleGit(directories.work)
  const clone = simpleGit(directories.deploy)
  // How versions go live is measured here; hundreds of runs of their own tests would only make that rarer.
  const deployer = await createDeployer({ directories, store, skip: ['check'] })

  const workspace: Workspace = {
    directories,
    store,
    async merge(changed, subject) {
      await writeFiles(directories.work, changed)
      await work.add('.')
      await work.commit(subject)
      return push(work)
    },
    async revert() {
      await work.revert('HEAD', { '--no-edit': null })
      return push(work)
    },
    bffEnv: (group) => ({
      ...store,
      NEEDLE_TRUST: join(directories.keys, 'trust-root.json'),
      NEEDLE_CACHE: directories.cache,
      NEEDLE_GROUP: group,
    }),
    close: () => deployer.close(),
    async deployUnchecked(commit, reason, how) {
      await clone.fetch('origin', 'main')
      await clone.raw(['checkout', '--force', '--detach', commit])
      const deployment = await deployer.deploy({ ...how, commit, reason })
      if (deployment.failed === null) return deployment
      throw new Error(
        `${deployment.failed} of "${reason}" failed:\n${deployment.runs[deployment.failed]?.output}`,
      )
    },
  }
  try {
    await workspace.merge(files, 'Add the functions to be measured')
    return workspace
  } catch (error) {
    await deployer.close()
    throw error
  }
}

async function push(work: SimpleGit): Promise<Push> {
  const commit = (await work.revparse(['HEAD'])).trim()
  const startedAt = performance.now()
  await work.push('origin', 'main')
  return { commit, startedAt }
}

async function writeFiles(root: string, files: Files): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true })
    await writeFile(join(root, path), content)
  }
}
