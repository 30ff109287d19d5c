import { rm } from 'node:fs/promises'
import { SourceMap } from 'node:module'
import { createContext, constants, Script } from 'node:vm'
import { partsOf } from '@needle-faas/runtime/container'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createRepository, type Files, type TestRepository } from '../../test/repository.ts'
import { bundleFunction } from './bundle-function.ts'

const packages: Files = {
  'node_modules/counter/package.json':
    '{ "name": "counter", "version": "1.0.0", "type": "module" }',
  'node_modules/counter/index.js': `export let count = 0
export function next() {
  count += 1
  return count
}
export function unused() {
  return 'never called'
}
export function fail() {
  throw new Error('from the package')
}
`,
  'node_modules/common/package.json': '{ "name": "common", "version": "1.0.0" }',
  'node_modules/common/index.js': 'exports.double = (value) => undeclared = value * 2\n',
}

let repository: TestRepository

beforeAll(async () => {
  repository = await createRepository()
  // The link to this project's packages gives way to a folder with those of the test.
  await rm(`${repository.directory}/node_modules`)
  await repository.write(packages)
})
afterAll(async () => repository[Symbol.asyncDispose]())

async function bundle(name: string, text: string, more: Files = {}) {
  const directory = `functions/shop/${name}`
  const entry = `${directory}/index.ts`
  await repository.write({ [entry]: text, ...more })
  const result = await bundleFunction(
    { name: `shop/${name}`, group: 'shop', directory, entry, files: [entry] },
    { directory: repository.directory, budgetBytes: 1_000_000 },
  )
  if (result.status === 'refused') throw new Error(JSON.stringify(result.issues))
  const { script, sourceMap } = result.bundle
  return { script, parts: partsOf(script), map: new SourceMap(JSON.parse(textOf(sourceMap))) }
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString()
}

/** The exports of an artifact as a runtime that knows nothing of parts runs it. */
function evaluate(script: Uint8Array): Record<string, (...values: unknown[]) => unknown> {
  const context = createContext(constants.DONT_CONTEXTIFY)
  new Script(textOf(script), { filename: 'artifact.js' }).runInContext(context)
  return Reflect.get(context, '__needle_function')
}

describe('the packages of a function', () => {
  it('are the same bytes beside other code that uses the same of them', async () => {
    const one = await bundle('one', `import { next } from 'counter'\nexport default () => next()\n`)
    const other = await bundle(
      'other',
      `import { next } from 'counter'
import { text } from './text.ts'
export default function handler(next2: number) { return text + next() + next2 }
`,
      { 'functions/shop/other/text.ts': `export const text = 'counted '\n` },
    )
    expect(one.parts.packages?.source).toBe(other.parts.packages?.source)
    expect(one.parts.packages?.source).not.toContain('never called')
    expect(one.parts.own.source.length).toBeLessThan(one.script.byteLength / 2 + 1000)
    expect(evaluate(other.script)['default']?.(5)).toBe('counted 15')
  })

  it('stay bound to what they export, as ES modules are', async () => {
    const { script } = await bundle(
      'bound',
      `import * as counter from 'counter'
export default () => [counter.count, counter.next(), counter.count].join()
`,
    )
    expect(evaluate(script)['default']?.()).toBe('0,1,1')
  })

  it('may be CommonJS, as sloppy as they were', async () => {
    const { script, parts } = await bundle(
      'common',
      `import { double } from 'common'\nexport default (value: number) => double(value)\n`,
    )
    expect(parts.packages).not.toBe(null)
    expect(evaluate(script)['default']?.(4)).toBe(8)
  })

  it('are no part of their own where something is imported when needed', async () => {
    const { script, parts } = await bundle(
      'later',
      `import { next } from 'counter'
export default async () => next() + (await import('./late.ts')).late
`,
      { 'functions/shop/later/late.ts': 'export const late = 10\n' },
    )
    expect(parts.packages).toBe(null)
    expect(await evaluate(script)['default']?.()).toBe(11)
  })

  it('are none of a function without any', async () => {
    const { script, parts } = await bundle('bare', 'export default () => 1\n')
    expect(parts.packages).toBe(null)
    expect(evaluate(script)['default']?.()).toBe(1)
  })
})

it('maps positions in both parts to the files they come from', async () => {
  const { script, map } = await bundle(
    'failing',
    `import { fail } from 'counter'
export default function handler() {
  return fail()
}
`,
  )
  let stack = ''
  try {
    evaluate(script)['default']?.()
  } catch (error) {
    stack = String(Reflect.get(Object(error), 'stack'))
  }
  const origins = [...stack.matchAll(/artifact\.js:(\d+):(\d+)/g)].map(([, line, column]) => {
    const origin = map.findOrigin(Number(line), Number(column))
    return 'fileName' in origin ? `${origin.fileName}:${origin.lineNumber}` : null
  })
  expect(origins.slice(0, 2)).toEqual([
    'node_modules/counter/index.js:10',
    'functions/shop/failing/index.ts:3',
  ])
})
