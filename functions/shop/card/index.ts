import { defineFunction, HttpError } from '@needle-faas/runtime/function'
import * as z from 'zod/mini'
import { money, toMoney } from '../_shared/money.ts'

export default defineFunction({
  input: z.object({ productId: z.string() }),
  output: z.object({
    id: z.string(),
    title: z.string(),
    imageUrl: z.string(),
    rating: z.nullable(z.number()),
    price: z.nullable(money),
  }),
  http: { method: 'GET', path: '/shop/card/:productId' },
  uses: ['catalog', 'price'],
  timeoutMs: 800,
  probes: [{ params: { productId: 'p-100' } }],

  async handler({ productId }, { services, caller, signal, log }) {
    const [product, [cents = null]] = await Promise.all([
      services.catalog.find(productId, { signal }),
      services.price.list([productId], 'EUR', { signal }).catch((error: unknown) => {
        log.warn('card goes out without its price', { productId, error: String(error) })
        return []
      }),
    ])
    if (product === null) {
      throw new HttpError(404, 'PRODUCT_NOT_FOUND', `There is no product "${productId}".`)
    }
    const { id, title, imageUrl, rating } = product
    const price = cents === null ? null : toMoney(cents, 'EUR', caller.locale)
    return { id, title, imageUrl, rating, price }
  },
})
