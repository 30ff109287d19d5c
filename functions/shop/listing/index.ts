import { defineFunction } from '@needle-faas/runtime/function'
import * as z from 'zod/mini'

const pageSize = 20
const sorts = ['newest', 'rating', 'title'] as const

/** Arrives as a string, as all of a query does. */
const page = z.coerce
  .number('must be a number')
  .check(
    z.int('must be a whole number'),
    z.gte(1, 'must be at least 1'),
    z.lte(500, 'must be at most 500'),
  )

export default defineFunction({
  input: z.object({
    category: z.string(),
    text: z.optional(z.string().check(z.maxLength(100, 'must not exceed 100 characters'))),
    sort: z._default(z.enum(sorts, `must be one of ${sorts.join(', ')}`), 'newest'),
    page: z._default(page, 1),
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
