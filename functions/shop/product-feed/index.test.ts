import type { Logger } from '@needle-faas/runtime/function'
import { callFunction } from '@needle-faas/runtime/testing'
import { describe, expect, test, vi } from 'vitest'
import services from '../../dev-services.ts'
import type { CatalogService, Product } from '../../services.ts'
import productFeed from './index.ts'

const product: Product = {
  id: 'p-1',
  title: 'Mug',
  category: 'kitchen',
  imageUrl: 'https://images.shop.example/p-1.webp',
  rating: null,
}

describe('shop/product-feed', () => {
  test('writes one product a line', async () => {
    const { status, headers, body } = await callFunction(productFeed, {
      query: { category: 'office' },
      services,
    })
    expect(status).toBe(200)
    expect(headers['content-type']).toBe('application/x-ndjson')
    const lines = String(body).trimEnd().split('\n')
    expect(lines).toHaveLength(5)
    expect(JSON.parse(lines[0] ?? '')).toEqual({
      id: 'p-202',
      title: 'Brass pen tray',
      category: 'office',
    })
  })

  test('reads batch after batch until nothing is left', async () => {
    const search = vi.fn<CatalogService['search']>(async ({ offset }) => ({
      products: Array.from({ length: Math.min(100, 250 - offset) }, () => product),
      total: 250,
    }))
    const { body } = await callFunction(productFeed, {
      services: { ...services, catalog: { ...services.catalog, search } },
    })
    expect(String(body).match(/\n/g)).toHaveLength(250)
    expect(search).toHaveBeenCalledTimes(3)
  })

  test('is 500 when the catalogue fails before the first line', async () => {
    const search = vi.fn<CatalogService['search']>().mockRejectedValue(new Error('refused'))
    const result = await callFunction(productFeed, {
      services: { ...services, catalog: { ...services.catalog, search } },
      log: { ...console, error: vi.fn<Logger['error']>() },
    })
    expect(result).toMatchObject({ status: 500, errorCode: 'FUNCTION_FAILED' })
  })

  test('asks for no further batch once the client has gone', async () => {
    const client = new AbortController()
    const search = vi.fn<CatalogService['search']>(async () => {
      client.abort()
      return { products: [product], total: 250 }
    })
    const call = callFunction(productFeed, {
      services: { ...services, catalog: { ...services.catalog, search } },
      signal: client.signal,
    })
    await call.catch((error: unknown) => error)
    expect(search).toHaveBeenCalledOnce()
  })
})
