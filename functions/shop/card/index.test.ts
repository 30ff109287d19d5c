import type { Logger } from '@needle-faas/runtime/function'
import { callFunction } from '@needle-faas/runtime/testing'
import { describe, expect, test, vi } from 'vitest'
import services from '../../dev-services.ts'
import card from './index.ts'

const params = { productId: 'p-100' }

describe('shop/card', () => {
  test('joins the product with its price', async () => {
    const { status, body } = await callFunction(card, { params, services })
    expect(status).toBe(200)
    expect(body).toEqual({
      id: 'p-100',
      title: 'Stoneware mug',
      imageUrl: 'https://images.shop.example/p-100.webp',
      rating: 4.6,
      price: { cents: 1290, currency: 'EUR', text: '€12.90' },
    })
  })

  test('writes the price as the caller reads it', async () => {
    const { body } = await callFunction(card, { params, services, caller: { locale: 'de' } })
    expect(body).toMatchObject({ price: { text: '12,90\u00a0€' } })
  })

  test('answers without a price, and says so in the log, when the price service is away', async () => {
    const price = { list: () => Promise.reject(new Error('connection refused')) }
    const log = { ...console, warn: vi.fn<Logger['warn']>() }
    const { status, body } = await callFunction(card, {
      params,
      services: { ...services, price },
      log,
    })
    expect(status).toBe(200)
    expect(body).toMatchObject({ title: 'Stoneware mug', price: null })
    expect(log.warn).toHaveBeenCalledWith('card goes out without its price', {
      productId: 'p-100',
      error: 'Error: connection refused',
    })
  })

  test('is 404 for a product that does not exist', async () => {
    const result = await callFunction(card, { params: { productId: 'p-999' }, services })
    expect(result).toMatchObject({ status: 404, errorCode: 'PRODUCT_NOT_FOUND' })
  })
})
