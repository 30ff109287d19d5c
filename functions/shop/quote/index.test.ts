import { callFunction } from '@needle-faas/runtime/testing'
import { describe, expect, test } from 'vitest'
import services from '../../dev-services.ts'
import quote from './index.ts'

const quoteFor = (body: unknown) => callFunction(quote, { body, services })

describe('shop/quote', () => {
  test('prices each line and adds them up', async () => {
    const { status, body } = await quoteFor({
      currency: 'EUR',
      lines: [
        { productId: 'p-100', quantity: 2 },
        { productId: 'p-201', quantity: 1 },
      ],
    })
    expect(status).toBe(200)
    expect(body).toMatchObject({
      lines: [
        { productId: 'p-100', each: { cents: 1290 }, sum: { cents: 2580 } },
        { productId: 'p-201', each: { cents: 1450 }, sum: { cents: 1450 } },
      ],
      total: { cents: 4030, currency: 'EUR', text: '€40.30' },
    })
  })

  test('holds for a quarter of an hour', async () => {
    const before = Date.now()
    const result = await quoteFor({
      currency: 'GBP',
      lines: [{ productId: 'p-100', quantity: 1 }],
    })
    if (result.errorCode !== null) throw new Error(result.body.error.message)
    const validForMs = Date.parse(result.body.validUntil) - before
    expect(validForMs).toBeGreaterThanOrEqual(900_000)
    expect(validForMs).toBeLessThan(905_000)
  })

  test.each([
    ['currency', { currency: 'JPY', lines: [{ productId: 'p-100', quantity: 1 }] }],
    ['lines', { currency: 'EUR', lines: [] }],
    ['lines.0.quantity', { currency: 'EUR', lines: [{ productId: 'p-100', quantity: 0 }] }],
    ['lines.0.quantity', { currency: 'EUR', lines: [{ productId: 'p-100', quantity: 100 }] }],
    ['lines.0.productId', { currency: 'EUR', lines: [{ quantity: 1 }] }],
  ])('names %s when it is what is wrong', async (path, body) => {
    const result = await quoteFor(body)
    expect(result).toMatchObject({ status: 400, errorCode: 'INPUT_INVALID' })
    expect(result.body).toHaveProperty('error.details.0.path', path)
  })

  test('refuses a product that is named twice', async () => {
    const line = { productId: 'p-100', quantity: 1 }
    expect(await quoteFor({ currency: 'EUR', lines: [line, line] })).toMatchObject({
      status: 422,
      errorCode: 'PRODUCT_REPEATED',
    })
  })

  test('names every product that is not sold', async () => {
    const lines = ['p-998', 'p-100', 'p-999'].map((productId) => ({ productId, quantity: 1 }))
    const result = await quoteFor({ currency: 'USD', lines })
    expect(result).toMatchObject({ status: 404, errorCode: 'PRODUCT_NOT_FOUND' })
    expect(result.body).toHaveProperty('error.details', [
      { productId: 'p-998' },
      { productId: 'p-999' },
    ])
  })

  test('says how many are left when stock does not suffice', async () => {
    const lines = [{ productId: 'p-104', quantity: 13 }]
    const result = await quoteFor({ currency: 'EUR', lines })
    expect(result).toMatchObject({ status: 409, errorCode: 'OUT_OF_STOCK' })
    expect(result.body).toHaveProperty('error.details', [
      { productId: 'p-104', quantity: 13, available: 12 },
    ])
  })
})
