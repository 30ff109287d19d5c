import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test, vi } from 'vitest'
import { readBuildDirectory } from '../../src/build/build-directory.ts'
import { createRepository, type Files, functionFiles } from '../repository.ts'
import { runCommand } from './run-command.ts'

// each build starts a child process
vi.setConfig({ testTimeout: 60_000 })

const quote: Files = functionFiles(
  'shop/quote',
  `import { defineFunction } from '@needle-faas/runtime/function'
import { createHash } from 'node:crypto'
import * as z from 'zod/mini'
import { cents } from '../_shared/cents.ts'

export default defineFunction({
  input: z.object({ id: z.string() }),
  output: z.object({ cents: z.int(), hash: z.string() }),
  http: { method: 'GET', path: '/quote/:id' },
  timeoutMs: 5000,
  async handler({ id }) {
    return { cents, hash: createHash('sha256').update(id).digest('hex') }
  },
})
`,
)
const shared: Files = { 'functions/shop/_shared/cents.ts': 'export const cents = 1\n' }

/** Name and text of every file. */
async function contentsOf(directory: string): Promise<[string, string][]> {
  const names = (await readdir(directory)).toSorted()
  return Promise.all(
    names.map(async (name): Promise<[string, string]> => [
      name,
      await readFile(join(directory, name), 'utf8'),
    ]),
  )
}

const artifactsOf = async (directory: string) => {
  const { manifest } = await readBuildDirectory(directory)
  return Object.fromEntries(
    manifest.functions.flatMap((entry) =>
      entry.status === 'built'
        ? [[entry.name, [entry.inputs, entry.artifact.digest, entry.sourceMap.digest]]]
        : [],
    ),
  )
}

describe('needle build', () => {
  test('makes the same bytes in another directory, alone or beside other functions', async () => {
    await using first = await createRepository({ ...quote, ...shared })
    await using second = await createRepository({ ...quote, ...shared, ...functionFiles('pay/a') })
    // the packages lie above the repository here, not in it
    const nested = join(second.directory, 'deeper', 'still')
    await mkdir(nested, { recursive: true })
    for (const name of ['functions', '.git', '.gitignore', 'package.json', 'tsconfig.json']) {
      await rename(join(second.directory, name), join(nested, name))
    }
    const runs = [
      await runCommand(['build', '--out', 'out'], { cwd: first.directory }),
      await runCommand(['build', '--out', 'out'], { cwd: join(nested, 'functions', 'shop') }),
    ]
    expect(runs.map(({ exitCode, stderr }) => exitCode && stderr)).toEqual([0, 0])
    const [one, two] = await Promise.all([
      artifactsOf(join(first.directory, 'out')),
      artifactsOf(join(nested, 'functions', 'shop', 'out')),
    ])
    expect(Object.keys(two)).toEqual(['pay/a', 'shop/quote'])
    expect(two['shop/quote']).toEqual(one['shop/quote'])
  })

  test('writes settings capped by policy, contract, commit and no path of the machine', async () => {
    await using repository = await createRepository({
      ...quote,
      ...shared,
      'functions/needle.config.ts': `export default {
  environments: { production: { store: 'file:s', trust: 't', services: [] } },
  policies: { shop: { timeoutMs: 2000, maxConcurrency: 7 } },
}
`,
    })
    const commit = await repository.git.revparse(['HEAD'])
    await runCommand(['build', '--out', 'out'], { cwd: repository.directory })
    const out = join(repository.directory, 'out')
    const { manifest } = await readBuildDirectory(out)
    expect(manifest).toMatchObject({
      commit,
      dirty: false,
      complete: true,
      scope: 'production',
      functions: [
        {
          name: 'shop/quote',
          settings: {
            http: { method: 'GET', path: '/quote/:id' },
            timeoutMs: 2000,
            maxConcurrency: 7,
            idempotent: true,
          },
          contract: { input: { properties: { id: { type: 'string' } } } },
        },
      ],
    })
    const all = await contentsOf(out)
    for (const [, text] of all) expect(text).not.toContain(repository.directory)
    const map = all.find(([name]) => name.endsWith('.map'))?.[1] ?? ''
    expect(JSON.parse(map)).toMatchObject({
      sources: expect.arrayContaining([
        'functions/shop/quote/index.ts',
        expect.stringMatching(/^node_modules\/zod\//),
      ]),
    })
  })

  test('carries how changes go out, but not into previews', async () => {
    await using repository = await createRepository({
      ...functionFiles('shop/card'),
      'functions/needle.config.ts': `const place = { store: 'file:s', trust: 't', services: [] }
export default {
  environments: { production: place, pr: place },
  policies: { shop: { rollout: { rollbackWindowMs: 5 } } },
}
`,
    })
    const { directory } = repository
    const rolloutFor = async (environment: string) => {
      const args = ['build', '--environment', environment, '--out', environment]
      const { exitCode, stderr } = await runCommand(args, { cwd: directory })
      if (exitCode !== 0) throw new Error(stderr)
      return (await readBuildDirectory(join(directory, environment))).manifest.functions[0]?.rollout
    }
    expect(await rolloutFor('production')).toMatchObject({
      steps: [{ weightPercent: 10 }, { weightPercent: 50 }],
      rollbackWindowMs: 5,
    })
    expect(await rolloutFor('pr-1')).toBeUndefined()
  })

  test('says that files are not committed', async () => {
    await using repository = await createRepository({ ...quote, ...shared })
    await repository.write({ 'functions/shop/_shared/cents.ts': 'export const cents = 2\n' })
    const run = await runCommand(['build', '--out', '.needle/out'], { cwd: repository.directory })
    expect(run.stdout).toContain('not committed')
    const { manifest } = await readBuildDirectory(join(repository.directory, '.needle', 'out'))
    expect(manifest.dirty).toBe(true)
  })

  test('builds only what differs from a base, and says that this is not everything', async () => {
    await using repository = await createRepository({
      ...quote,
      ...shared,
      ...functionFiles('shop/other'),
    })
    await repository.commit({ 'functions/shop/_shared/cents.ts': 'export const cents = 2\n' })
    const args = ['build', '--base', 'HEAD~1', '--out', '.needle/out']
    await runCommand(args, { cwd: repository.directory })
    const { manifest } = await readBuildDirectory(join(repository.directory, '.needle', 'out'))
    expect(manifest).toMatchObject({ complete: false, functions: [{ name: 'shop/quote' }] })
  })

  test('gives author code nothing of its own environment', async () => {
    process.env['NEEDLE_RELEASE_KEY'] = 'secret'
    try {
      await using repository = await createRepository(
        functionFiles(
          'shop/spy',
          `const { env } = (Response as any).constructor('return process')()\nthrow new Error('sees ' + Object.keys(env).sort().join())\nexport default async () => 1\n`,
        ),
      )
      const run = await runCommand(['build', '--out', 'out'], {
        cwd: repository.directory,
        env: { NEEDLE_RELEASE_KEY: 'secret' },
      })
      expect(run.stderr).toContain('sees NODE_')
      expect(run.stderr).not.toContain('NEEDLE_RELEASE_KEY')
    } finally {
      delete process.env['NEEDLE_RELEASE_KEY']
    }
  })

  test('refuses a folder package, whose changes would go unseen', async () => {
    await using repository = await createRepository({
      ...functionFiles('shop/a', `import { a } from '#lib'\nexport default async () => a\n`),
      'package.json': '{ "type": "module", "imports": { "#lib": "./lib/a.ts" } }\n',
      'lib/a.ts': 'export const a = 1\n',
    })
    const run = await runCommand(['build', '--out', 'out'], { cwd: repository.directory })
    expect(run.stderr).toContain('IMPORT_OUTSIDE')
    expect(run.stderr).toContain('lib/a.ts')
  })
})

describe('readBuildDirectory', () => {
  test.each([
    ['BUILD_DIRECTORY_MISSING', 'build.json', null],
    ['BUILD_DIRECTORY_INVALID', 'build.json', '{ "specVersion": 1'],
    ['BUILD_DIRECTORY_INVALID', 'build.json', '{ "specVersion": 2 }'],
    ['BUILD_DIRECTORY_ALTERED', /\.js$/, 'longer or shorter'],
    ['BUILD_DIRECTORY_ALTERED', /\.js$/, 'as long'],
    ['BUILD_DIRECTORY_ALTERED', /\.map$/, 'as long'],
  ] as const)('throws %s for %s', async (code, which, text) => {
    await using repository = await createRepository(functionFiles('shop/a'))
    await runCommand(['build', '--out', 'out'], { cwd: repository.directory })
    const out = join(repository.directory, 'out')
    const names = await readdir(out)
    const name = names.find((file) =>
      typeof which === 'string' ? file === which : which.test(file),
    )
    const path = join(out, `${name}`)
    if (text === null) await rename(path, join(out, 'gone'))
    else if (text === 'as long') {
      await writeFile(path, (await readFile(path, 'utf8')).replace(/\w/, '_'))
    } else await writeFile(path, text)
    await expect(readBuildDirectory(out)).rejects.toMatchObject({ code })
  })

  test('throws BUILD_DIRECTORY_ALTERED for settings that are not those of their digest', async () => {
    await using repository = await createRepository(functionFiles('shop/a'))
    await runCommand(['build', '--out', 'out'], { cwd: repository.directory })
    const path = join(repository.directory, 'out', 'build.json')
    const text = await readFile(path, 'utf8')
    await writeFile(path, text.replace('"timeoutMs": 3000', '"timeoutMs": 3001'))
    await expect(readBuildDirectory(join(repository.directory, 'out'))).rejects.toMatchObject({
      code: 'BUILD_DIRECTORY_ALTERED',
    })
  })
})
