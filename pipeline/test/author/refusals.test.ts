import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import * as z from 'zod'
import { createRepository, type Files, functionFiles, type TestRepository } from '../repository.ts'
import { runCommand } from './run-command.ts'

interface Refusal {
  readonly code: string
  /** Relative to the folder of the function. */
  readonly line?: number
  readonly column?: number
  readonly file?: string
  /** Must be part of the message. */
  readonly says: string
  readonly source: string
  readonly more?: Files
}

const define = (definition: string, head = ''): string =>
  `import { defineFunction } from '@needle-faas/runtime/function'\nimport * as z from 'zod/mini'\n${head}export default defineFunction({ ${definition}, async handler() { return {} } })\n`

const refusals: Record<string, Refusal> = {
  'no-default': {
    code: 'FUNCTION_NO_DEFAULT_EXPORT',
    says: 'export default',
    source: 'export const a = 1\n',
  },
  syntax: {
    code: 'FUNCTION_SYNTAX',
    line: 2,
    column: 9,
    says: 'Syntax error',
    source: 'const a = 1\nlet b = ;\n',
  },
  'top-level-await': {
    code: 'FUNCTION_TOP_LEVEL_AWAIT',
    line: 1,
    column: 1,
    says: 'handler',
    source: 'await 1\nexport default async () => 1\n',
  },
  'computed-import': {
    code: 'FUNCTION_COMPUTED_IMPORT',
    line: 1,
    column: 40,
    says: 'literal',
    source: 'export default async (name: string) => import(name)\n',
  },
  'require-alias': {
    code: 'FUNCTION_REQUIRE',
    line: 1,
    column: 14,
    says: 'import',
    source: 'const load = require\nexport default async () => load("node:fs")\n',
  },
  'import-meta': {
    code: 'FUNCTION_IMPORT_META',
    line: 1,
    column: 28,
    says: 'import.meta',
    source: 'export default async () => import.meta.url\n',
  },
  'built-in': {
    code: 'IMPORT_BUILTIN',
    line: 1,
    column: 26,
    says: '"node:fs"',
    source: `import { readFile } from 'node:fs'\nexport default async () => readFile\n`,
  },
  'built-in-unprefixed': {
    code: 'IMPORT_BUILTIN',
    line: 1,
    column: 8,
    says: '"child_process"',
    source: `import 'child_process'\nexport default async () => 1\n`,
  },
  'built-in-of-a-package': {
    code: 'IMPORT_BUILTIN',
    says: 'node:child_process (simple-git)',
    source: `import { simpleGit } from 'simple-git'\nexport default async () => simpleGit\n`,
  },
  'other-function': {
    code: 'IMPORT_OUTSIDE',
    line: 1,
    column: 19,
    says: '_shared',
    source: `import other from '../good/index.ts'\nexport default async () => other\n`,
  },
  'other-group': {
    code: 'IMPORT_OUTSIDE',
    line: 1,
    column: 19,
    says: 'functions/pay/_shared',
    source: `import { a } from  '../../pay/_shared/a.ts'\nexport default async () => a\n`.replace(
      '  ',
      ' ',
    ),
    more: { 'functions/pay/_shared/a.ts': 'export const a = 1\n' },
  },
  'out-of-the-repository': {
    code: 'IMPORT_OUTSIDE',
    line: 1,
    column: 8,
    says: '../../../../x.ts',
    source: `import '../../../../x.ts'\nexport default async () => 1\n`,
  },
  platform: {
    code: 'IMPORT_OUTSIDE',
    line: 1,
    column: 8,
    says: '@needle-faas/runtime/function',
    source: `import '@needle-faas/runtime/store'\nexport default async () => 1\n`,
  },
  'missing-file': {
    code: 'IMPORT_UNRESOLVED',
    line: 1,
    column: 8,
    says: './gone.ts',
    source: `import './gone.ts'\nexport default async () => 1\n`,
  },
  'missing-package': {
    code: 'IMPORT_UNRESOLVED',
    line: 1,
    column: 8,
    says: 'package.json',
    source: `import 'no-such-package'\nexport default async () => 1\n`,
  },
  'zod-by-name': {
    code: 'IMPORT_NOT_NAMESPACE',
    line: 1,
    column: 19,
    says: `import * as z from 'zod/mini'`,
    source: `import { z } from 'zod'\nexport default async () => z\n`,
  },
  'in-another-file': {
    code: 'FUNCTION_IMPORT_META',
    file: 'part.ts',
    line: 2,
    column: 18,
    says: 'import.meta',
    source: `import { a } from './part.ts'\nexport default async () => a\n`,
    more: { 'functions/shop/in-another-file/part.ts': '\nexport const a = import.meta\n' },
  },
  'too-large': {
    code: 'BUNDLE_TOO_LARGE',
    says: 'budget',
    source: `export default async () => ${JSON.stringify('x'.repeat(110_000))}\n`,
  },
  throws: {
    code: 'FUNCTION_THROWS_AT_LOAD',
    line: 2,
    column: 30,
    says: 'no price list',
    source: `const a = 1\nconst fail = () => { throw ( new Error('no price list' + a)) }\nfail()\nexport default async () => 1\n`,
  },
  loops: {
    code: 'FUNCTION_LOAD_TIMEOUT',
    says: 'handler',
    source: 'for (;;) {}\nexport default async () => 1\n',
  },
  'loops-in-microtasks': {
    code: 'FUNCTION_LOAD_TIMEOUT',
    says: 'handler',
    source:
      'const again = (): unknown => Promise.resolve().then(again)\nvoid again()\nexport default async () => 1\n',
  },
  'bad-definition': {
    code: 'FUNCTION_BAD_DEFINITION',
    says: 'timeoutMs',
    source: define(`timeoutMs: 'soon' as unknown as number`),
  },
  'unknown-key': {
    code: 'FUNCTION_BAD_DEFINITION',
    says: 'timeout',
    source: `export default { timeout: 5, handler: async () => 1 }\n`,
  },
  'unsafe-probes': {
    code: 'FUNCTION_BAD_DEFINITION',
    says: '"probes": are for functions that may be called twice',
    source: define(`probes: [{ body: {} }]`),
  },
  'bad-path': {
    code: 'FUNCTION_BAD_DEFINITION',
    says: 'path',
    source: define(`http: { path: 'shop' }`),
  },
  inexpressible: {
    code: 'FUNCTION_SCHEMA_INEXPRESSIBLE',
    says: 'output.at',
    source: define(`output: z.object({ at: z.date() })`),
  },
  'unknown-service': {
    code: 'SERVICE_UNKNOWN',
    line: 3,
    says: '"rice"',
    source: define(`uses: ['rice' as never]`),
  },
  'service-elsewhere': {
    code: 'SERVICE_NOT_OFFERED',
    line: 3,
    says: '"stock"',
    source: define(`uses: ['stock' as never]`),
  },
  'route-taken': {
    code: 'ROUTE_CONFLICT',
    line: 3,
    says: 'shop/a-route',
    source: define(`http: { path: '/shop/route/:other' }`),
  },
}

const config = `import { defineConfig } from '@needle-faas/pipeline'
export default defineConfig({
  environments: {
    production: { store: 'file:.needle/store', trust: 't', services: ['price'] },
    staging: { store: 'file:.needle/store', trust: 't', services: ['price', 'stock'] },
  },
})
`

const issuesSchema = z.object({
  error: z.object({
    code: z.string(),
    issues: z.array(
      z.object({
        code: z.string(),
        function: z.string().nullable(),
        message: z.string(),
        place: z
          .object({ file: z.string(), line: z.number().optional(), column: z.number().optional() })
          .nullable(),
      }),
    ),
  }),
})

let repository: TestRepository
let exitCode: number
let issues: z.infer<typeof issuesSchema>['error']['issues']

// one build of all of them: that every problem of every function is told is a fact of its own
beforeAll(async () => {
  const files = Object.entries(refusals).flatMap(([name, { source, more }]) => [
    functionFiles(`shop/${name}`, source),
    more ?? {},
  ])
  repository = await createRepository(
    Object.assign(
      {},
      ...files,
      functionFiles('shop/good', define(`uses: ['price' as never]`)),
      functionFiles('shop/a-route', define(`http: { path: '/shop/route/:one' }`)),
      functionFiles('shop/Bad_Name'),
      { 'functions/shop/empty/notes.md': 'no code\n', 'functions/needle.config.ts': config },
    ),
  )
  const run = await runCommand(['build', '--environment', 'production', '--out', 'out', '--json'], {
    cwd: repository.directory,
  })
  exitCode = run.exitCode
  issues = issuesSchema.parse(run.json()).error.issues
}, 180_000)

afterAll(() => repository[Symbol.asyncDispose]())

describe('needle build refuses', () => {
  test.each(Object.entries(refusals))('%s', (name, { code, line, column, file, says }) => {
    const found = issues.filter((issue) => issue.function === `shop/${name}`)
    expect(found).toMatchObject([
      {
        code,
        message: expect.stringContaining(says),
        place: {
          file: `functions/shop/${name}/${file ?? 'index.ts'}`,
          ...(line !== undefined && { line }),
          ...(column !== undefined && { column }),
        },
      },
    ])
  })

  test('a folder whose name is none', () => {
    expect(issues).toContainEqual(
      expect.objectContaining({
        code: 'FUNCTION_NAME_INVALID',
        message: expect.stringContaining('shop/bad-name'),
      }),
    )
  })

  test('a folder without a function', () => {
    expect(issues).toContainEqual(
      expect.objectContaining({ code: 'FUNCTION_NO_ENTRY', function: 'shop/empty' }),
    )
  })

  test('nothing of the functions that are right', () => {
    expect(issues.filter(({ function: name }) => name === 'shop/good')).toEqual([])
    expect(issues.filter(({ function: name }) => name === 'shop/a-route')).toEqual([])
  })

  test('with an exit code', () => {
    expect(exitCode).toBe(1)
  })
})
