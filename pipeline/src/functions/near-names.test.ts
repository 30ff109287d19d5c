import { expect, test } from 'vitest'
import { listNearest, nearestFirst } from './near-names.ts'

test.each([
  ['two letters swapped', 'shop/crad', 'shop/card'],
  ['a letter too many', 'shop/quotes', 'shop/quote'],
  ['a letter missing', 'shop/quot', 'shop/quote'],
  ['no group', 'quote', 'shop/quote'],
  ['nothing', '', 'it/me'],
])('%s: "%s" is nearest to %s', (_, typed, nearest) => {
  expect(nearestFirst(typed, ['shop/card', 'it/me', 'shop/quote', 'shop/cart'])[0]).toBe(nearest)
})

test('of as near ones the order does not depend on where they come from', () => {
  expect(nearestFirst('a/x', ['a/z', 'a/y'])).toEqual(nearestFirst('a/x', ['a/y', 'a/z']))
})

test('of a thousand the nearest are listed and the rest is counted', () => {
  const names = Array.from({ length: 1000 }, (_, index) => `shop/other-${index}`)
  const listed = listNearest('shop/crad', [...names, 'shop/card'])
  expect(listed).toMatch(/^shop\/card, /)
  expect(listed).toMatch(/ and 989 more$/)
  expect(listNearest('shop/card', [])).toBe('none')
})
