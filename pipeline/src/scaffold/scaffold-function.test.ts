import { mkdtemp, mkdir, readFile, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { scaffoldFunction } from './scaffold-function.ts'

let repository: string

beforeEach(async () => {
  repository = await mkdtemp(join(tmpdir(), 'scaffold-'))
  await mkdir(join(repository, 'functions'))
})

afterEach(() => rm(repository, { recursive: true, force: true }))

const source = (file: string): Promise<string> => readFile(join(repository, file), 'utf8')

describe('scaffoldFunction', () => {
  test('writes code, test and page', async () => {
    const made = await scaffoldFunction({ repository, function: 'shop/gift-card' })
    expect(made).toEqual({
      function: 'shop/gift-card',
      method: 'POST',
      path: '/shop/gift-card',
      files: ['index.ts', 'index.test.ts', 'README.md'].map(
        (file) => `functions/shop/gift-card/${file}`,
      ),
    })
    expect(await source('functions/shop/gift-card/index.test.ts')).toContain('import giftCard from')
    // It may not be called twice: the build would refuse them.
    expect(await source('functions/shop/gift-card/index.ts')).not.toContain('probes')
  })

  test('takes its input from the parameters of the path', async () => {
    const path = '/shop/:country/card/:productId'
    const made = await scaffoldFunction({ repository, function: 'shop/card', path })
    expect(made.method).toBe('GET')
    const code = await source('functions/shop/card/index.ts')
    expect(code).toContain(`http: { method: 'GET', path: '${path}' }`)
    expect(code).toContain('z.object({ country: z.string(), productId: z.string() })')
    expect(code).toContain("probes: [{ params: { country: 'Ada', productId: 'Ada' } }]")
  })

  test('names a function after a word of the language', async () => {
    await scaffoldFunction({ repository, function: 'shop/delete' })
    expect(await source('functions/shop/delete/index.test.ts')).toContain('import deleteFunction')
  })

  test.each([
    ['Card', 'my-group/card'],
    ['shop/Gift_Card', 'shop/gift-card'],
    ['shop/card/more', 'shop/card'],
    ['../escape/x', 'my-function/escape'],
  ])('refuses the name %s and says a good one', async (name, suggestion) => {
    await expect(scaffoldFunction({ repository, function: name })).rejects.toMatchObject({
      code: 'FUNCTION_NAME_INVALID',
      message: expect.stringContaining(suggestion),
    })
    expect(await readdir(join(repository, 'functions'))).toEqual([])
  })

  test('keeps a function that is there', async () => {
    await scaffoldFunction({ repository, function: 'shop/card', method: 'get' })
    const before = await source('functions/shop/card/index.ts')
    await expect(
      scaffoldFunction({ repository, function: 'shop/card', method: 'put' }),
    ).rejects.toMatchObject({ code: 'FUNCTION_EXISTS' })
    expect(await source('functions/shop/card/index.ts')).toBe(before)
  })

  test.each([
    [{ method: 'FETCH' }, '--method "FETCH"'],
    [{ path: 'shop/card' }, '--path "shop/card"'],
  ])('refuses %o', async (options, message) => {
    await expect(
      scaffoldFunction({ repository, function: 'shop/card', ...options }),
    ).rejects.toMatchObject({ code: 'USAGE_INVALID', message: expect.stringContaining(message) })
  })
})
