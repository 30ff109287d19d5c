import { defineFunction, HttpError } from '@needle-faas/runtime/function'
import * as z from 'zod/mini'
import { addCents, currencies, money, toMoney } from '../_shared/money.ts'

const validForMs = 15 * 60 * 1000

const line = z.object({
  productId: z.string('must be a product id'),
  quantity: z
    .int('must be a whole number')
    .check(
      z.gte(1, 'must be at least 1'),
      z.lte(99, 'must be at most 99; ask sales for larger orders'),
    ),
})

export default defineFunction({
  input: z.object({
    currency: z.enum(currencies, `must be one of ${currencies.join(', ')}`),
    lines: z
      .array(line, 'must be a list')
      .check(z.minLength(1, 'must not be empty'), z.maxLength(50, 'must not exceed 50 lines')),
  }),
  output: z.object({
    lines: z.array(z.extend(line, { each: money, sum: money })),
    total: money,
    validUntil: z.iso.datetime(),
  }),
  http: { method: 'POST', path: '/shop/quote' },
  uses: ['price', 'stock'],
  timeoutMs: 1500,
  idempotent: true,

  async handler({ currency, lines }, { services, caller, signal }) {
    const productIds = lines.map(({ productId }) => productId)
    if (new Set(productIds).size < productIds.length) {
      throw new HttpError(
        422,
        'PRODUCT_REPEATED',
        'Name each product once, with its whole quantity.',
      )
    }

    const [prices, stock] = await Promise.all([
      services.price.list(productIds, currency, { signal }),
      services.stock.available(productIds, { signal }),
    ])
    const toAmount = (cents: number) => toMoney(cents, currency, caller.locale)

    const quoted = []
    const notSold = []
    const outOfStock = []
    for (const [index, { productId, quantity }] of lines.entries()) {
      const cents = prices[index] ?? null
      const available = stock[index] ?? 0
      if (cents === null) notSold.push({ productId })
      else if (quantity > available) outOfStock.push({ productId, quantity, available })
      else {
        const sum = toAmount(cents * quantity)
        quoted.push({ productId, quantity, each: toAmount(cents), sum })
      }
    }
    if (notSold.length > 0) {
      const message = `Some products do not exist or are not sold in ${currency}.`
      throw new HttpError(404, 'PRODUCT_NOT_FOUND', message, { details: notSold })
    }
    if (outOfStock.length > 0) {
      const message = 'Some products are not in stock in this quantity.'
      throw new HttpError(409, 'OUT_OF_STOCK', message, { details: outOfStock })
    }
    return {
      lines: quoted,
      total: toAmount(addCents(quoted.map(({ sum }) => sum.cents))),
      validUntil: new Date(Date.now() + validForMs).toISOString(),
    }
  },
})
