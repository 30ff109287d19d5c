import { readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { createRepository, functionFiles } from '../repository.ts'
import { type CommandRun, runCommand } from './run-command.ts'

vi.setConfig({ testTimeout: 120_000 })

async function createDeployment() {
  const repository = await createRepository({
    ...functionFiles('shop/card'),
    ...functionFiles('shop/quote'),
  })
  const cwd = repository.directory
  const store = join(cwd, '.needle', 'store')
  const env = {
    NEEDLE_STORE: `file:${store}`,
    NEEDLE_TRUST: join(cwd, '.needle', 'keys', 'trust-root.json'),
  }
  const needle = async (args: readonly string[], more = {}): Promise<CommandRun> => {
    const run = await runCommand(args, { cwd, env: { ...env, ...more } })
    if (run.exitCode !== 0) throw new Error(`${args.join(' ')}: ${run.stdout}${run.stderr}`)
    return run
  }
  await needle(['keys', 'init', '--out', join('.needle', 'keys')])
  const key = await readFile(join(cwd, '.needle', 'keys', 'release.jwk.json'), 'utf8')

  const plan = async (environment = 'production') => {
    const args = ['plan', '--environment', environment, '--out', '.needle/plan.json', '--json']
    return (await needle(args)).json()
  }
  const build = () => needle(['build', '--plan', '.needle/plan.json', '--out', '.needle/build'])
  const deploy = async (): Promise<void> => {
    await plan()
    await build()
    const args = ['publish', '--build', '.needle/build', '--reason', 'test']
    await needle(args, { NEEDLE_RELEASE_KEY: key })
  }
  return { repository, store, needle, plan, build, deploy }
}

test('a revert finds its release: nothing is checked, nothing is built', async () => {
  const { repository, needle, plan, build, deploy } = await createDeployment()
  await using _ = repository
  expect(await plan()).toMatchObject({ pending: ['shop/card', 'shop/quote'] })
  await deploy()
  expect(await plan()).toMatchObject({ pending: [] })

  await repository.commit({ 'functions/shop/card/index.ts': 'export default async () => 2\n' })
  expect(await plan()).toMatchObject({ pending: ['shop/card'] })
  expect((await build()).stdout).toContain('Built 1, reused 1')
  await deploy()

  await repository.git.raw(['revert', '--no-edit', 'HEAD'])
  expect(await plan()).toMatchObject({ pending: [] })
  const check = await needle(['check', '--plan', '.needle/plan.json'])
  expect(check.stdout).toContain('0 of 2 functions affected')
  expect(check.stderr).not.toContain('Tests')
  expect((await build()).stdout).toContain('Built 0, reused 2')
})

test('a change of tests alone is checked once, and what serves keeps its release', async () => {
  const { repository, store, plan, deploy } = await createDeployment()
  await using _ = repository
  await deploy()
  const [group] = await readdir(join(store, 'environments', 'production', 'groups'))
  await repository.commit({ 'functions/shop/card/index.test.ts': '// no test any more\n' })
  expect(await plan()).toMatchObject({ pending: ['shop/card'] })
  await deploy()
  expect(await plan()).toMatchObject({ pending: [] })
  expect(await readdir(join(store, 'environments', 'production', 'groups'))).toEqual([group])
})

test('a release of production is none for a preview', async () => {
  const { repository, plan, deploy } = await createDeployment()
  await using _ = repository
  await repository.commit({
    'functions/needle.config.ts': `const one = { store: 'file:s', trust: 't', services: [] }
export default { environments: { production: one, pr: one } }
`,
  })
  await deploy()
  expect(await plan()).toMatchObject({ pending: [] })
  expect(await plan('pr-7')).toMatchObject({ pending: ['shop/card', 'shop/quote'] })
})

test.each(['artifacts', 'releases', 'builds'])(
  'a store that lost its %s has nothing released',
  async (folder) => {
    const { repository, store, plan, deploy } = await createDeployment()
    await using _ = repository
    await deploy()
    expect(await readdir(join(store, folder))).not.toEqual([])
    await rm(join(store, folder), { recursive: true })
    expect(await plan()).toMatchObject({ pending: ['shop/card', 'shop/quote'] })
  },
)
