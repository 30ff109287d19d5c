import { execFile } from 'node:child_process'
import { appendFile, mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { type SimpleGit, simpleGit } from 'simple-git'

/** Paths relative to the repository root, and their contents; null removes the file. */
export type Files = Readonly<Record<string, string | null>>

/** A real Git repository in a directory of its own. `await using` removes it at the end. */
export interface TestRepository extends AsyncDisposable {
  /** Absolute, without symbolic links. */
  readonly directory: string
  readonly git: SimpleGit
  write(files: Files): Promise<void>
  /** Writes the files and commits everything; resolves to the full commit id. */
  commit(files: Files, message?: string): Promise<string>
}

const execute = promisify(execFile)

const nodeModules = fileURLToPath(new URL('../../node_modules', import.meta.url))

/** Of the repository alone: who commits, and that nothing is signed. */
const ownConfig = `[user]
\tname = Ada Author
\temail = ada@example.test
[commit]
\tgpgsign = false
`

/** What every repository of functions has; `files` of a test add to it or replace it. */
const basis: Files = {
  'package.json': `${JSON.stringify({ name: 'test-functions', private: true, type: 'module' })}\n`,
  'tsconfig.json': `${JSON.stringify({
    compilerOptions: {
      target: 'es2024',
      lib: ['es2024', 'esnext.disposable', 'esnext.error'],
      module: 'nodenext',
      types: ['node'],
      strict: true,
      noEmit: true,
      skipLibCheck: true,
      allowImportingTsExtensions: true,
      customConditions: ['needle-source'],
    },
    include: ['functions'],
  })}\n`,
  '.gitignore': 'node_modules\ncoverage/\n.needle/\n',
  'functions/needle.config.ts': configWith({}),
}

/** The configuration of every repository of functions, and what is given. */
export function configWith(more: Readonly<Record<string, unknown>>): string {
  const production = {
    store: 'file:.needle/store',
    trust: '.needle/trust-root.json',
    services: [],
  }
  const config = { environments: { production }, ...more }
  return `import { defineConfig } from '@needle-faas/pipeline'

export default defineConfig(${JSON.stringify(config, null, 2)})
`
}

/** Makes a repository whose first commit holds `files`, with this project's packages linked in. */
export async function createRepository(files: Files = {}): Promise<TestRepository> {
  const directory = await realpath(await mkdtemp(join(tmpdir(), 'needle-repository-')))
  await symlink(nodeModules, join(directory, 'node_modules'))
  // What simple-git runs takes 50 ms longer when Git says nothing; repositories are made by the hundred.
  const run = async (...args: string[]): Promise<string> =>
    (await execute('git', args, { cwd: directory })).stdout.trim()
  await run('init', '--quiet', '--initial-branch=main')
  await appendFile(join(directory, '.git/config'), ownConfig)

  const write = async (changes: Files): Promise<void> => {
    for (const [path, content] of Object.entries(changes)) {
      const target = join(directory, path)
      if (content === null) {
        await rm(target, { recursive: true })
        continue
      }
      await mkdir(dirname(target), { recursive: true })
      await writeFile(target, content)
    }
  }
  const commit = async (changes: Files, message = 'Change'): Promise<string> => {
    await write(changes)
    await run('add', '.')
    await run('commit', '--quiet', '--allow-empty', '--message', message)
    return run('rev-parse', 'HEAD')
  }

  await commit({ ...basis, ...files }, 'Begin')
  return {
    directory,
    git: simpleGit(directory),
    write,
    commit,
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
  }
}

/** The three files of a function that passes every check; `index` replaces its code. */
export function functionFiles(name: string, index?: string): Files {
  return {
    [`functions/${name}/index.ts`]:
      index ?? `export default async () => ({ name: ${JSON.stringify(name)} })\n`,
    [`functions/${name}/index.test.ts`]: `import { expect, test } from 'vitest'
import definition from './index.ts'

test('is there', () => {
  expect(definition).toBeDefined()
})
`,
    [`functions/${name}/README.md`]: `# ${name}\n`,
  }
}
