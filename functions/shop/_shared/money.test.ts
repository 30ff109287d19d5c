import { describe, expect, test } from 'vitest'
import { addCents, toMoney } from './money.ts'

describe('toMoney', () => {
  test.each([
    [1290, 'EUR', 'en', '€12.90'],
    [1290, 'EUR', 'de', '12,90\u00a0€'],
    [5, 'GBP', 'en', '£0.05'],
    [-250, 'USD', 'en', '-$2.50'],
  ] as const)('shows %i %s in "%s" as %s', (cents, currency, locale, text) => {
    expect(toMoney(cents, currency, locale)).toEqual({ cents, currency, text })
  })
})

describe('addCents', () => {
  test('adds nothing up to zero', () => {
    expect(addCents([])).toBe(0)
  })

  test('adds whole cents', () => {
    expect(addCents([1290, 10, 200])).toBe(1500)
  })

  test('refuses a fraction of a cent instead of rounding it away', () => {
    expect(() => addCents([1290, 0.5])).toThrow(RangeError)
  })
})
