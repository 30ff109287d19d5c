import { cp, mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { basename, join, relative } from 'node:path'
import { simpleGit } from 'simple-git'
import * as z from 'zod'
import { type PlaygroundDirectories, projectRoot } from './directories.ts'

/**
 * Makes the origin and the working clone, with this project's `functions/` as the first commit.
 * Idempotent: a working clone that exists is a person's work and stays as it is.
 */
export async function seedRepository(
  directories: PlaygroundDirectories,
  storeUrl = `file:${directories.store}`,
): Promise<void> {
  const complete = join(directories.root, 'seeded')
  if (!existsSync(complete)) {
    await rm(directories.origin, { recursive: true, force: true })
    await rm(directories.work, { recursive: true, force: true })
    await mkdir(directories.work, { recursive: true })
    await simpleGit().raw(['init', '--bare', '--initial-branch=main', directories.origin])
    await writeSeed(directories.work)
    await nameEnvironment(directories, storeUrl)
    const work = simpleGit(directories.work)
    await work.raw(['init', '--initial-branch=main'])
    await nameAuthor(directories.work)
    await work.addRemote('origin', directories.origin)
    await work.add('.')
    await work.commit('Start with the example functions')
    await work.push(['--set-upstream', 'origin', 'main'])
    await writeFile(complete, '')
  }
  await rm(directories.deploy, { recursive: true, force: true })
  await simpleGit().clone(directories.origin, directories.deploy)
}

const tsconfigSchema = z.object({ compilerOptions: z.looseObject({}) })

async function writeSeed(work: string): Promise<void> {
  await cp(join(projectRoot, 'functions'), join(work, 'functions'), {
    recursive: true,
    filter: (source) => !['node_modules', 'coverage', 'dist'].includes(basename(source)),
  })
  await cp(join(projectRoot, 'package-lock.json'), join(work, 'package-lock.json'))
  const { compilerOptions } = tsconfigSchema.parse(
    JSON.parse(await readFile(join(projectRoot, 'tsconfig.json'), 'utf8')),
  )
  await writeJson(join(work, 'tsconfig.json'), { compilerOptions, include: ['functions'] })
  await writeJson(join(work, 'package.json'), {
    name: 'shop-functions',
    private: true,
    type: 'module',
  })
  await writeFile(join(work, '.gitignore'), 'node_modules\ncoverage/\n.needle/\n')
  // What `npm ci` would put there; without it npx would not find the needle command.
  await symlink(join(projectRoot, 'node_modules'), join(work, 'node_modules'))
}

async function writeJson(path: string, value: object): Promise<void> {
  await writeFile(path, `${JSON.stringify(value, null, 2)}\n`)
}

/** A machine without a Git identity can commit here; one that has an identity keeps it. */
/** Production is this playground, so that `needle status` in the working clone needs no variables. */
async function nameEnvironment(
  { work, keys }: PlaygroundDirectories,
  storeUrl: string,
): Promise<void> {
  const file = join(work, 'functions', 'needle.config.ts')
  const example = await readFile(file, 'utf8')
  const trust = join(relative(work, keys), 'trust-root.json')
  const config = example
    .replace(/store: 's3:[^']*\/production'/, () => `store: '${storeUrl}'`)
    .replace("trust: 'functions/trust/production.json'", () => `trust: '${trust}'`)
  if (!config.includes(storeUrl) || !config.includes(trust)) {
    throw new Error('functions/needle.config.ts no longer names store and trust of production')
  }
  await writeFile(file, config)
}

async function nameAuthor(work: string): Promise<void> {
  const git = simpleGit(work)
  const { value } = await git.getConfig('user.email')
  if (value !== null) return
  await git.addConfig('user.name', 'Playground')
  await git.addConfig('user.email', 'playground@localhost')
}
