import { expect, test } from 'vitest'
import { isSecretName } from './is-secret-name.ts'

test.each([
  'authorization',
  'Proxy-Authorization',
  'cookie',
  'x-api-key',
  'apiKey',
  'access_token',
  'x-csrf-token',
  'passwordHash',
  'x-auth',
  'x-amz-security-token',
  'sessionId',
  'clientSecret',
])('%s is likely to hold a secret', (name) => {
  expect(isSecretName(name)).toBe(true)
})

test.each(['accept-language', 'author', 'key', 'productId', 'x-tenant', 'authors', 'keyword'])(
  '%s is not',
  (name) => {
    expect(isSecretName(name)).toBe(false)
  },
)
