import { defineFunction } from '@needle-faas/runtime/function'
import * as z from 'zod/mini'

const pageSize = 20

export default defineFunction({
  input: z.object({
    category: z.string(),
    text: z.optional(z.string().check(z.maxLength(100))),
    sort: z._default(z.enum(['newest', 'rating', 'title']), 'newest'),
    page: z._default(z.coerce.number().check(z.int(), z.gte(1), z.lte(500)), 1),
  }),
  output: z.object({
    products: z.array(z.object({ id: z.string(), title: z.string(), imageUrl: z.string() })),
    page: z.int(),
    pages: z.int(),
    total: z.int(),
  }),
  http: { method: 'GET', path: '/shop/listing/:category' },
  uses: ['catalog'],

  async handler({ category, text, sort, page }, { services, signal }) {
    const offset = (page - 1) * pageSize
    const { products, total } = await services.catalog.search(
      { category, text, sort, offset, limit: pageSize },
      { signal },
    )
    return {
      products: products.map(({ id, title, imageUrl }) => ({ id, title, imageUrl })),
      page,
      pages: Math.ceil(total / pageSize),
      total,
    }
  },
})
