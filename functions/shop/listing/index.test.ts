import { callFunction } from '@needle-faas/runtime/testing'
import { describe, expect, test, vi } from 'vitest'
import services from '../../dev-services.ts'
import type { CatalogService } from '../../services.ts'
import listing from './index.ts'

const params = { category: 'kitchen' }

describe('shop/listing', () => {
  test('gives the first page, newest first, when the query says nothing', async () => {
    const { status, body } = await callFunction(listing, { params, services })
    expect(status).toBe(200)
    expect(body).toMatchObject({ page: 1, pages: 1, total: 7 })
    expect(body).toHaveProperty('products.0.title', 'Enamel kettle')
  })

  test('sorts and filters as the query says', async () => {
    const query = { sort: 'title', text: 'pEpPeR' }
    const { body } = await callFunction(listing, { params, query, services })
    expect(body).toMatchObject({ total: 1, products: [{ id: 'p-105' }] })
  })

  test('turns the page number into an offset', async () => {
    const search = vi.fn<CatalogService['search']>(async () => ({ products: [], total: 41 }))
    const { body } = await callFunction(listing, {
      params,
      query: { page: '3' },
      services: { ...services, catalog: { ...services.catalog, search } },
    })
    expect(search).toHaveBeenCalledWith(
      { category: 'kitchen', text: undefined, sort: 'newest', offset: 40, limit: 20 },
      { signal: expect.any(AbortSignal) },
    )
    expect(body).toMatchObject({ page: 3, pages: 3 })
  })

  test.each([
    ['page', 'must be at least 1', '0'],
    ['page', 'must be at most 500', '501'],
    ['page', 'must be a whole number', '1.5'],
    ['page', 'must be a number', 'last'],
    ['sort', 'must be one of newest, rating, title', 'price'],
    ['text', 'must not exceed 100 characters', 'x'.repeat(101)],
  ])('says that %s %s', async (name, message, value) => {
    const result = await callFunction(listing, { params, query: { [name]: value }, services })
    expect(result).toMatchObject({ status: 400, errorCode: 'INPUT_INVALID' })
    expect(result.body).toHaveProperty('error.details', [{ path: name, message }])
  })
})
