import { defineFunction } from '@needle-faas/runtime/function'
import * as z from 'zod/mini'
import type { CatalogService, Product } from '../../services.ts'

const batchSize = 100
const encoder = new TextEncoder()

export default defineFunction({
  input: z.object({ category: z.optional(z.string()) }),
  http: { method: 'GET', path: '/shop/product-feed' },
  uses: ['catalog'],
  maxConcurrency: 4,

  handler({ category }, { services, signal }) {
    const feed = ReadableStream.from(toLines(readBatches(services.catalog, category, signal)))
    return new Response(feed, { headers: { 'content-type': 'application/x-ndjson' } })
  },
})

/** Reads the next batch only when the client has taken the last. */
async function* readBatches(
  catalog: CatalogService,
  category: string | undefined,
  signal: AbortSignal,
) {
  let offset = 0
  let total = Infinity
  while (offset < total) {
    const query = { category, sort: 'title', offset, limit: batchSize } as const
    const page = await catalog.search(query, { signal })
    yield page.products
    offset += batchSize
    total = page.total
  }
}

async function* toLines(batches: AsyncIterable<readonly Product[]>) {
  for await (const batch of batches) {
    for (const { id, title, category } of batch) {
      yield encoder.encode(`${JSON.stringify({ id, title, category })}\n`)
    }
  }
}
