import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { defaultAnalysisLimits } from '@needle-faas/runtime/manifest'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { configFile, loadConfig, selectEnvironment } from './load-config.ts'
import { capSettings, policyOf } from './policy-of.ts'
import { rolloutPlanOf } from './rollout-policy.ts'

let directory: string

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'needle-config-'))
  await mkdir(join(directory, 'functions'))
})

afterEach(() => rm(directory, { recursive: true }))

const load = async (text: string) => {
  await writeFile(join(directory, configFile), text)
  return loadConfig(directory)
}

const production = { store: 'file:.needle/store', trust: 'trust.json', services: ['price'] }
const valid = { environments: { production } }
const step = (weightPercent: number) => ({ weightPercent, bakeMs: 0 })
const freeze = (more: object) => ({
  days: ['fri'],
  from: '16:00',
  to: '24:00',
  timeZone: 'UTC',
  reason: 'weekend',
  ...more,
})
const toModule = (config: unknown): string => `export default ${JSON.stringify(config)}`

const wrongRollouts: readonly (readonly [string, unknown, string])[] = [
  ['weights that fall', { steps: [step(50), step(10)] }, 'steps: weights rise from step to step'],
  ['no step at all', { steps: [] }, 'steps: name at least one step'],
  ['a weight of nothing', { steps: [step(0)] }, 'steps.0.weightPercent: '],
  ['a wrong key of a step', { steps: [{ ...step(5), bake: 1 }] }, 'steps.0.bake: no such key'],
  ['a wrong key of a rollout', { step: [] }, 'rollout.step: no such key'],
  ['a wrong limit', { analysis: { errorRise: 2 } }, 'analysis.errorRise: '],
  ['a wrong day', { freeze: [freeze({ days: ['friday'] })] }, 'freeze.0.days.0: use mon to sun'],
  ['a wrong time', { freeze: [freeze({ from: '4pm' })] }, 'freeze.0.from: use HH:MM'],
  ['a wrong end', { freeze: [freeze({ to: '25:00' })] }, 'freeze.0.to: use HH:MM'],
  ['a wrong zone', { freeze: [freeze({ timeZone: 'CEST' })] }, 'timeZone: use an IANA time zone'],
  ['no sticky key in its place', { stickyKey: {} }, 'rollout.stickyKey: name exactly one of'],
  [
    'two sticky keys',
    { stickyKey: { httpHeaderName: 'x-user-id', caller: 'user.id' } },
    'policies.shop.rollout.stickyKey: name exactly one of httpHeaderName, httpCookie and caller',
  ],
  [
    'another sticky key',
    { stickyKey: { useSourceIp: true } },
    'rollout.stickyKey.useSourceIp: no such key',
  ],
  [
    'a header that cannot be',
    { stickyKey: { httpHeaderName: 'user id' } },
    'stickyKey.httpHeaderName: use a name',
  ],
  [
    'a cookie that nobody sets',
    { stickyKey: { httpCookie: { name: 'session', ttl: '300s' } } },
    'stickyKey.httpCookie.ttl: no such key',
  ],
  [
    'a cookie that cannot be',
    { stickyKey: { httpCookie: { name: 'a;b' } } },
    'stickyKey.httpCookie.name: use a name',
  ],
  ['a path of dots', { stickyKey: { caller: 'user..id' } }, 'stickyKey.caller: use a path'],
  ['a sticky key of text', { stickyKey: 'x-user-id' }, 'policies.shop.rollout.stickyKey: '],
  ['no policy in it', true, 'policies.shop.rollout: '],
]

describe('loadConfig', () => {
  test('reads TypeScript', async () => {
    const text = `const services: readonly string[] = ['price']\nexport default { environments: { production: { store: 's3://b/p', trust: 't', services } } }`
    expect(await load(text)).toMatchObject({
      environments: { production: { services: ['price'] } },
    })
  })

  test('reads what was written since the last time', async () => {
    await load(toModule(valid))
    await new Promise((resolve) => setTimeout(resolve, 5))
    const again = await load(toModule({ ...valid, budget: { bundleBytes: 7 } }))
    expect(again.budget?.bundleBytes).toBe(7)
  })

  test('says when there is none', async () => {
    await expect(loadConfig(directory)).rejects.toMatchObject({ code: 'CONFIG_MISSING' })
  })

  test.each([
    ['no default export', 'export const config = 1', 'no default export'],
    ['a file that does not load', 'export default {', configFile],
    ['an unknown key', toModule({ ...valid, polices: {} }), 'polices: no such key'],
    ['no environment', toModule({ environments: {} }), 'environments: name at least one'],
    [
      'a bad store',
      toModule({ environments: { production: { ...production, store: 'ftp://x' } } }),
      'environments.production.store: use file:',
    ],
    [
      'a bad policy key',
      toModule({ ...valid, policies: { Shop: {} } }),
      'policies.Shop: use a group',
    ],
  ])('refuses %s', async (_what, text, message) => {
    await expect(load(text)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining(message),
    })
  })

  test.each(wrongRollouts)('refuses a rollout with %s', async (_what, rollout, message) => {
    await expect(
      load(toModule({ ...valid, policies: { shop: { rollout } } })),
    ).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining(message),
    })
  })

  test('names every problem at once', async () => {
    const text = toModule({
      environments: { production: { store: 'file:x', trust: 1, services: [], speed: 1 } },
      budget: { bundleBytes: -1 },
    })
    await expect(load(text)).rejects.toMatchObject({
      details: {
        problems: [
          expect.stringMatching(/^environments\.production\.trust: /),
          'environments.production.speed: no such key',
          expect.stringMatching(/^budget\.bundleBytes: /),
        ],
      },
    })
  })
})

const select = (name: string, env: Record<string, string> = {}) =>
  selectEnvironment(valid, name, { directory: '/repository', env })

describe('selectEnvironment', () => {
  test('makes paths absolute', () => {
    expect(select('production')).toMatchObject({
      store: 'file:/repository/.needle/store',
      trust: '/repository/trust.json',
    })
  })

  test('lets variables overrule the file', () => {
    const env = { NEEDLE_STORE: 's3://other', NEEDLE_TRUST: '/keys/root.json' }
    expect(select('production', env)).toMatchObject({
      store: 's3://other',
      trust: '/keys/root.json',
    })
  })

  test('names those there are', () => {
    expect(() => select('prod')).toThrow(
      expect.objectContaining({
        code: 'ENVIRONMENT_UNKNOWN',
        message: expect.stringContaining('production'),
      }),
    )
  })
})

describe('policies', () => {
  const policies = { shop: { timeoutMs: 1000, maxBodyBytes: 10 }, 'shop/card': { timeoutMs: 500 } }

  test('the entry of a function overrules that of its group key by key', () => {
    expect(policyOf({ policies }, 'shop/card')).toEqual({ timeoutMs: 500, maxBodyBytes: 10 })
    expect(policyOf({ policies }, 'pay/card')).toEqual({})
  })

  test('how changes go out is no part of what a function is built from', () => {
    const shop = { timeoutMs: 1000, rollout: {} }
    expect(policyOf({ policies: { shop } }, 'shop/card')).toEqual({ timeoutMs: 1000 })
  })

  test('a rollout policy of nothing is ten percent, half, everyone, five minutes each', () => {
    expect(rolloutPlanOf({ policies: { shop: { rollout: {} } } }, 'shop/card')).toEqual({
      steps: [
        { weightPercent: 10, bakeMs: 300_000 },
        { weightPercent: 50, bakeMs: 300_000 },
      ],
      analysis: defaultAnalysisLimits,
      rollbackWindowMs: 600_000,
    })
  })

  test('the rollout of a function overrules that of its group key by key, or does without', () => {
    const shop = {
      rollout: {
        rollbackWindowMs: 1,
        analysis: { errorRise: 0.1, slowRise: 0.1 },
        stickyKey: { httpCookie: { name: 'session' } },
      },
    }
    const card = { rollout: { steps: [step(5)], analysis: { errorRise: 0.2 } } }
    const byUser = { rollout: { stickyKey: { caller: 'user.id' } } }
    const own = {
      shop,
      'shop/card': card,
      'shop/cart': byUser,
      'shop/quote': { rollout: false as const },
    }
    expect(rolloutPlanOf({ policies: own }, 'shop/card')).toMatchObject({
      steps: [{ weightPercent: 5 }],
      rollbackWindowMs: 1,
      analysis: { errorRise: 0.2, slowRise: 0.1, minimumCalls: 100 },
      stickyKey: { httpCookie: { name: 'session' } },
    })
    expect(rolloutPlanOf({ policies: own }, 'shop/cart')?.stickyKey).toEqual({ caller: 'user.id' })
    expect(rolloutPlanOf({ policies: own }, 'shop/quote')).toBeNull()
    expect(rolloutPlanOf({ policies: own }, 'shop/else')).toMatchObject({ rollbackWindowMs: 1 })
    expect(rolloutPlanOf({ policies: own }, 'ads/banner')).toBeNull()
  })

  test.each([
    [{ timeoutMs: 2000 }, { timeoutMs: 500 }],
    [{ timeoutMs: 100 }, { timeoutMs: 100 }],
    [{}, {}],
  ])('%o is cut down to %o', (declared, expected) => {
    expect(capSettings(declared, { timeoutMs: 500 })).toEqual(expected)
  })
})
