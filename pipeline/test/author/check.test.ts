import { describe, expect, test, vi } from 'vitest'
import { configWith, createRepository, functionFiles } from '../repository.ts'
import { runCommand } from './run-command.ts'

// lint, types and tests start three programs
vi.setConfig({ testTimeout: 120_000 })

const place = (name: string, line: number) =>
  expect.objectContaining({ file: `functions/shop/${name}`, line })

describe('needle check', () => {
  test('passes what needle new writes, with its coverage', async () => {
    await using repository = await createRepository()
    const { directory: cwd } = repository
    await runCommand(['new', 'shop/gift-card', '--path', '/gift/:id'], { cwd })
    const run = await runCommand(['check', '--all'], { cwd })
    expect(run.stdout).toContain('All good')
    expect(run.stdout).toContain('shop/gift-card: --all  100 % of lines tested')
    expect(run.exitCode).toBe(0)
  })

  test('tells lint, type, test and bundle problems together, each with its place', async () => {
    await using repository = await createRepository({
      ...functionFiles('shop/lint', `export default async (a: any) => a\n`),
      ...functionFiles('shop/types', `const a: number = 'a'\nexport default async () => a\n`),
      ...functionFiles('shop/meta', `export default async () => import.meta.url\n`),
      ...functionFiles('shop/tested'),
      'functions/shop/tested/index.test.ts': `import { expect, test } from 'vitest'\n\ntest('adds', () => {\n  expect(1 + 1).toBe(3)\n})\n`,
      ...functionFiles('shop/empty-test'),
      'functions/shop/empty-test/index.test.ts': 'export {}\n',
    })
    const run = await runCommand(['check', '--all', '--json'], { cwd: repository.directory })
    expect(run.exitCode).toBe(1)
    expect(run.json()).toMatchObject({
      issues: expect.arrayContaining([
        expect.objectContaining({ code: 'LINT_FAILED', place: place('lint/index.ts', 1) }),
        expect.objectContaining({ code: 'TYPES_FAILED', place: place('types/index.ts', 1) }),
        expect.objectContaining({
          code: 'FUNCTION_IMPORT_META',
          place: place('meta/index.ts', 1),
        }),
        expect.objectContaining({
          code: 'TESTS_FAILED',
          place: place('tested/index.test.ts', 4),
        }),
      ]),
    })
    expect(run.stdout).toContain('shop/empty-test')
  })

  test('checks what differs from a base, says why, and judges routes against the rest', async () => {
    await using repository = await createRepository({
      ...functionFiles('shop/card'),
      ...functionFiles('shop/quote'),
    })
    await repository.commit({
      'functions/shop/quote/index.ts': `export default { http: { path: '/shop/card' }, handler: async () => 1 }\n`,
    })
    const run = await runCommand(['check', '--base', 'HEAD~1', '--json'], {
      cwd: repository.directory,
    })
    expect(run.json()).toMatchObject({
      affected: [{ name: 'shop/quote', reasons: ['own file index.ts changed'] }],
      issues: [
        { code: 'ROUTE_CONFLICT', message: expect.stringMatching(/shop\/quote and shop\/card/) },
      ],
    })
  })

  test('refuses a policy of what is not there, which would let a change out without it, but no merge of a revert for it', async () => {
    const policies = {
      shop: {},
      'shop/card': { timeoutMs: 900 },
      'shop/crad': { rollout: {} },
      shp: {},
    }
    await using repository = await createRepository({
      ...functionFiles('shop/card'),
      'functions/needle.config.ts': configWith({ policies }),
    })
    const { directory: cwd } = repository
    const run = await runCommand(['check', '--base', 'HEAD', '--json'], { cwd })
    expect(run.exitCode).toBe(1)
    const issue = { code: 'CONFIG_INVALID', place: { file: 'functions/needle.config.ts' } }
    expect(run.json()).toMatchObject({
      issues: [
        { ...issue, message: expect.stringMatching(/"shop\/crad".* There are: shop\/card/) },
        { ...issue, message: expect.stringContaining('"shp"') },
      ],
    })

    const plan = { specVersion: 1, environment: 'production', scope: 'production', released: [] }
    await repository.write({ '.needle/plan.json': JSON.stringify(plan) })
    const merge = await runCommand(['check', '--plan', '.needle/plan.json'], { cwd })
    expect(merge).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('All good') })
  })

  test('has nothing to do for a page', async () => {
    await using repository = await createRepository(functionFiles('shop/card'))
    await repository.commit({ 'functions/shop/card/README.md': '# new\n' })
    const run = await runCommand(['check', '--base', 'HEAD~1'], { cwd: repository.directory })
    expect(run).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('0 of 1') })
  })

  test.each([
    [['check', '--base', 'no-such-branch'], 2, 'no-such-branch'],
    [['check', '--plan', 'gone.json'], 1, 'needle plan'],
    [['check', '--environment', 'prodction'], 2, 'production'],
    [['chekc'], 2, 'check'],
    [['build'], 2, '--out'],
  ])('%s ends with %i', async (args, exitCode, says) => {
    await using repository = await createRepository(functionFiles('shop/card'))
    const run = await runCommand(args, { cwd: repository.directory })
    expect(run).toMatchObject({ exitCode, stderr: expect.stringContaining(says) })
  })

  test('says where it looked for functions', async () => {
    const run = await runCommand(['check'], { cwd: '/' })
    expect(run).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('--repository') })
  })
})
