import * as z from 'zod/mini'
import type { Currency } from '../../services.ts'

export const currencies = ['EUR', 'GBP', 'USD'] as const satisfies readonly Currency[]

/** An amount as clients receive it: `cents` to compute with, `text` ready to show. */
export const money = z.object({
  cents: z.int(),
  currency: z.enum(currencies),
  text: z.string(),
})

export type Money = z.infer<typeof money>

/** `toMoney(1290, 'EUR')` is `{ cents: 1290, currency: 'EUR', text: '€12.90' }`; `locale` is a BCP 47 tag. */
export function toMoney(cents: number, currency: Currency, locale = 'en'): Money {
  const format = new Intl.NumberFormat(locale, { style: 'currency', currency })
  return { cents, currency, text: format.format(cents / 100) }
}

/** @throws RangeError when an amount is not a whole number of cents. */
export function addCents(amounts: readonly number[]): number {
  const fraction = amounts.find((cents) => !Number.isSafeInteger(cents))
  if (fraction !== undefined) throw new RangeError(`${fraction} is not a whole number of cents`)
  return amounts.reduce((sum, cents) => sum + cents, 0)
}
