import { describe, expect, test } from 'vitest'
import { discover } from './discover.ts'
import type { FileTree } from './file-tree.ts'

const treeOf = (...paths: string[]): FileTree =>
  new Map(paths.map((path) => [path, new Uint8Array()]))
const whole = (name: string): string[] =>
  ['index.ts', 'index.test.ts', 'README.md'].map((file) => `functions/${name}/${file}`)

describe('discover', () => {
  test('finds functions by name with all their files', () => {
    const tree = treeOf(...whole('shop/quote'), ...whole('shop/card'), 'functions/shop/card/a/b.ts')
    expect(discover(tree)).toMatchObject({
      functions: [
        {
          name: 'shop/card',
          group: 'shop',
          entry: 'functions/shop/card/index.ts',
          files: expect.arrayContaining(['functions/shop/card/a/b.ts']),
        },
        { name: 'shop/quote' },
      ],
      issues: [],
    })
  })

  test('takes shared code and files beside the groups for no function', () => {
    const tree = treeOf(
      'functions/shop/_shared/money.ts',
      'functions/needle.config.ts',
      'functions/shop/README.md',
    )
    expect(discover(tree)).toEqual({ functions: [], issues: [] })
  })

  test.each([
    ['Shop/GiftCard', 'shop/gift-card'],
    ['shop/gift_card', 'shop/gift-card'],
    ['shop/2card', 'shop/card'],
    ['shop/card-', 'shop/card'],
  ])('refuses the name %s and says a good one', (name, suggestion) => {
    const { functions, issues } = discover(treeOf(...whole(name)))
    expect(functions).toEqual([])
    expect(issues).toMatchObject([
      { code: 'FUNCTION_NAME_INVALID', message: expect.stringContaining(`: ${suggestion}.`) },
    ])
  })

  test.each([
    ['index.ts', 'FUNCTION_NO_ENTRY'],
    ['index.test.ts', 'FUNCTION_NO_TEST'],
    ['README.md', 'FUNCTION_NO_README'],
  ])('misses %s', (file, code) => {
    const paths = whole('shop/card').filter((path) => !path.endsWith(`/${file}`))
    expect(discover(treeOf(...paths)).issues).toMatchObject([{ code, function: 'shop/card' }])
  })
})
