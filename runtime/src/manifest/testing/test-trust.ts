import { signDocument } from '../envelope.ts'
import { createSigner, generateSigningKey, type Signer, type SigningKey } from '../signing-key.ts'
import { type Role, roles, type SignatureAlgorithm, type TrustRoot } from '../trust-root.ts'

/** A trust root with one key per role, and those keys. */
export interface TestTrust {
  readonly root: TrustRoot
  /** Signed by its root key: what `trust/<n>.json` holds. */
  readonly rootBytes: Uint8Array
  readonly keys: Readonly<Record<Role, SigningKey>>
  readonly signers: Readonly<Record<Role, Signer>>
}

/** New random keys and a self-signed root over them. */
export async function createTestTrust(
  options: { readonly algorithm?: SignatureAlgorithm; readonly root?: Partial<TrustRoot> } = {},
): Promise<TestTrust> {
  const [rootKey, release, preview, operator] = await Promise.all([
    generateSigningKey(options.algorithm),
    generateSigningKey(options.algorithm),
    generateSigningKey(options.algorithm),
    generateSigningKey(options.algorithm),
  ])
  const keys = { root: rootKey, release, preview, operator }
  const root = testTrustRoot(keys, options.root)
  const signers = {
    root: await createSigner(keys.root.privateJwk),
    release: await createSigner(keys.release.privateJwk),
    preview: await createSigner(keys.preview.privateJwk),
    operator: await createSigner(keys.operator.privateJwk),
  }
  const rootBytes = await signDocument({ kind: 'trust-root', payload: root }, [signers.root])
  return { root, rootBytes, keys, signers }
}

/** A trust root over one key per role, threshold 1 each. */
export function testTrustRoot(
  keys: Readonly<Record<Role, SigningKey>>,
  overrides: Partial<TrustRoot> = {},
): TrustRoot {
  const roleKeys = (role: Role) => ({ keyIds: [keys[role].keyId], threshold: 1 })
  return {
    kind: 'trust-root',
    specVersion: 1,
    version: 1,
    epoch: 1,
    issuedAt: '2026-01-01T00:00:00Z',
    keys: Object.fromEntries(
      roles.map((role) => [
        keys[role].keyId,
        { algorithm: keys[role].algorithm, jwk: keys[role].publicJwk },
      ]),
    ),
    roles: {
      root: roleKeys('root'),
      release: roleKeys('release'),
      preview: roleKeys('preview'),
      operator: roleKeys('operator'),
    },
    ...overrides,
  }
}
