import { describe, expect, test } from 'vitest'
import type { NeedleConfig } from '../config/needle-config.ts'
import { findAffected } from './affected.ts'
import { discover } from './discover.ts'
import { createImportGraph } from './import-graph.ts'
import { type FunctionInputs, readInputs, type Scope } from './inputs.ts'

type Files = Readonly<Record<string, string | null>>

const lock = (versions: Readonly<Record<string, string>>): string =>
  JSON.stringify({
    packages: {
      'node_modules/zod': { version: versions['zod'], dependencies: { tiny: '1' } },
      'node_modules/tiny': { version: versions['tiny'] },
      'node_modules/linter': { version: versions['linter'] },
    },
  })

const before: Files = {
  'functions/shop/card/index.ts': `import { money } from '../_shared/money.ts'\nimport * as z from 'zod/mini'\nexport default () => [money, z]\n`,
  'functions/shop/card/index.test.ts': `import services from '../../dev-services.ts'\nimport card from './index.ts'\n`,
  'functions/shop/card/README.md': '# card\n',
  'functions/shop/quote/index.ts': `import { cents } from '../_shared/cents.ts'\nexport default () => cents\n`,
  'functions/shop/_shared/money.ts': `import { cents } from './cents.ts'\nexport const money = cents\n`,
  'functions/shop/_shared/cents.ts': 'export const cents = 1\n',
  'functions/dev-services.ts': `import type { A } from './services.ts'\nexport default {}\n`,
  'functions/services.ts': 'export type A = 1\n',
  'package-lock.json': lock({ zod: '4.0.0', tiny: '1.0.0', linter: '1.0.0' }),
}

function inputsOf(
  files: Files,
  config: Pick<NeedleConfig, 'policies'> = {},
  scope: Scope = 'production',
): ReadonlyMap<string, FunctionInputs> {
  const tree = new Map(
    Object.entries(files).flatMap(([path, text]) =>
      text === null ? [] : [[path, Buffer.from(text)] as const],
    ),
  )
  const { functions } = discover(tree)
  return readInputs({ tree, graph: createImportGraph(tree), functions, config, scope })
}

const affectedBy = (change: Files): Record<string, readonly string[]> =>
  Object.fromEntries(
    findAffected(inputsOf(before), inputsOf({ ...before, ...change })).map(({ name, reasons }) => [
      name,
      reasons,
    ]),
  )

const digests = (scope: Scope) =>
  [...inputsOf(before, {}, scope).values()].map(({ digest }) => digest)

describe('findAffected', () => {
  test.each<[string, Files, Record<string, string[]>]>([
    ['nothing', {}, {}],
    [
      'an own file',
      { 'functions/shop/card/index.test.ts': `import card from './index.ts'\n` },
      {
        'shop/card': [
          'functions/dev-services.ts removed, imported by index.test.ts',
          'own file index.test.ts changed',
        ],
      },
    ],
    ['a README', { 'functions/shop/card/README.md': '# other\n' }, {}],
    [
      'shared code, directly and through other shared code',
      { 'functions/shop/_shared/cents.ts': 'export const cents = 2\n' },
      {
        'shop/card': ['shared file _shared/cents.ts changed, imported by _shared/money.ts'],
        'shop/quote': ['shared file _shared/cents.ts changed, imported by index.ts'],
      },
    ],
    [
      'shared code of one',
      { 'functions/shop/_shared/money.ts': 'export const money = 2\n' },
      {
        'shop/card': [
          'shared file _shared/cents.ts removed, imported by _shared/money.ts',
          'shared file _shared/money.ts changed, imported by index.ts',
        ],
      },
    ],
    [
      'types, which leave no trace in a bundle',
      { 'functions/services.ts': 'export type A = 2\n' },
      {},
    ],
    [
      'a file that only a test imports',
      { 'functions/dev-services.ts': 'export default { a: 1 }\n' },
      { 'shop/card': ['functions/dev-services.ts changed, imported by index.test.ts'] },
    ],
    [
      'a new function',
      { 'functions/shop/new/index.ts': 'export default () => 1\n' },
      { 'shop/new': ['new'] },
    ],
    ['a removed function', { 'functions/shop/quote/index.ts': null }, {}],
    [
      'the lock file, for a package it imports',
      { 'package-lock.json': lock({ zod: '4.0.1', tiny: '1.0.0', linter: '1.0.0' }) },
      { 'shop/card': ['package zod changed (package-lock.json)'] },
    ],
    [
      'the lock file, for what such a package depends on',
      { 'package-lock.json': lock({ zod: '4.0.0', tiny: '1.0.1', linter: '1.0.0' }) },
      { 'shop/card': ['package zod changed (package-lock.json)'] },
    ],
    [
      'the lock file, for a package no function imports',
      { 'package-lock.json': lock({ zod: '4.0.0', tiny: '1.0.0', linter: '2.0.0' }) },
      {},
    ],
    [
      'a lock file that cannot be read, for whoever imports a package',
      { 'package-lock.json': '<<<<<<<' },
      { 'shop/card': ['package zod changed (package-lock.json)'] },
    ],
  ])('%s', (_what, change, expected) => {
    expect(affectedBy(change)).toEqual(expected)
  })

  test('a policy affects the functions it applies to', () => {
    const after = inputsOf(before, { policies: { 'shop/card': { timeoutMs: 100 } } })
    expect(findAffected(inputsOf(before), after)).toEqual([
      { name: 'shop/card', reasons: ['its policy changed (needle.config.ts)'] },
    ])
  })

  test('a preview never passes for production', () => {
    const previews = new Set(digests('preview'))
    expect(digests('production').filter((digest) => previews.has(digest))).toEqual([])
  })

  test('the same files in another order have the same inputs', () => {
    const reversed = Object.fromEntries(Object.entries(before).toReversed())
    expect(findAffected(inputsOf(before), inputsOf(reversed))).toEqual([])
  })
})
