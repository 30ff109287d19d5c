import { calculateJwkThumbprint } from 'jose'
import { describe, expect, it } from 'vitest'
import { keyIdOf } from './key-id.ts'
import { createSigner, generateSigningKey } from './signing-key.ts'

describe.each(['Ed25519', 'ES256'] as const)('an %s key', (algorithm) => {
  it('is known by its RFC 7638 thumbprint', async () => {
    const key = await generateSigningKey(algorithm)
    expect(key.keyId).toBe(await calculateJwkThumbprint({ ...key.publicJwk }))
    expect(keyIdOf(key.privateJwk)).toBe(key.keyId)
  })

  it('keeps its private half out of the public one', async () => {
    const key = await generateSigningKey(algorithm)
    expect(key.publicJwk).not.toHaveProperty('d')
    expect(key.privateJwk).toHaveProperty('d')
  })

  it('makes a signer of the same id', async () => {
    const key = await generateSigningKey(algorithm)
    const signer = await createSigner(key.privateJwk)
    expect(signer).toMatchObject({ keyId: key.keyId, algorithm })
  })
})

describe('a key that cannot sign is refused without printing any of it', () => {
  it.each([
    ['a public key', async () => (await generateSigningKey()).publicJwk],
    ['a symmetric key', async () => ({ kty: 'oct', k: 'c2VjcmV0', d: 'c2VjcmV0' })],
    ['nothing', async () => ({})],
    ['a torn key', async () => ({ ...(await generateSigningKey()).privateJwk, d: 'c2VjcmV0' })],
  ])('%s', async (_name, make) => {
    const error: unknown = await createSigner(await make()).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'OPTIONS_INVALID' })
    expect(String(error)).not.toContain('c2VjcmV0')
  })
})
