import { callFunction } from '@needle-faas/runtime/testing'
import { describe, expect, test } from 'vitest'
import services from '../../dev-services.ts'
import quote from './index.ts'

const line = { productId: 'p-100', quantity: 1 }
const euros = (...lines: object[]) => ({ currency: 'EUR', lines })
const quoteFor = (body: unknown) => callFunction(quote, { body, services })

describe('shop/quote', () => {
  test('prices each line and adds them up', async () => {
    const { status, body } = await quoteFor(
      euros({ productId: 'p-100', quantity: 2 }, { productId: 'p-201', quantity: 1 }),
    )
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
    const result = await quoteFor(euros(line))
    if (result.errorCode !== null) throw new Error(result.body.error.message)
    const validForMs = Date.parse(result.body.validUntil) - before
    expect(validForMs).toBeGreaterThanOrEqual(900_000)
    expect(validForMs).toBeLessThan(905_000)
  })

  test.each([
    ['currency', 'must be one of EUR, GBP, USD', { currency: 'JPY', lines: [line] }],
    ['lines', 'must not be empty', euros()],
    ['lines', 'must not exceed 50 lines', euros(...Array.from({ length: 51 }, () => line))],
    ['lines.0.productId', 'must be a product id', euros({ quantity: 1 })],
    ['lines.0.quantity', 'must be at least 1', euros({ ...line, quantity: 0 })],
    ['lines.0.quantity', 'must be a whole number', euros({ ...line, quantity: 1.5 })],
  ])('says that %s %s', async (path, message, body) => {
    const result = await quoteFor(body)
    expect(result).toMatchObject({ status: 400, errorCode: 'INPUT_INVALID' })
    expect(result.body).toHaveProperty('error.details', [{ path, message }])
  })

  test('refuses a product that is named twice', async () => {
    expect(await quoteFor(euros(line, line))).toMatchObject({
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
    const result = await quoteFor(euros({ productId: 'p-104', quantity: 13 }))
    expect(result).toMatchObject({ status: 409, errorCode: 'OUT_OF_STOCK' })
    expect(result.body).toHaveProperty('error.details', [
      { productId: 'p-104', quantity: 13, available: 12 },
    ])
  })
})
