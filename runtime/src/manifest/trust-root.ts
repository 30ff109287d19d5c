import * as z from 'zod/mini'

/** Signature algorithms a trust root may name (RFC 9864 and RFC 7518 names). */
export type SignatureAlgorithm = 'Ed25519' | 'ES256'

/**
 * - `root` signs trust roots.
 * - `release` (CI) signs production releases and manifests.
 * - `preview` signs preview releases, and manifests of `pr-*` environments only.
 * - `operator` (on-call) signs manifests only: it chooses among releases CI has signed.
 */
export type Role = 'root' | 'release' | 'preview' | 'operator'

export const roles = ['root', 'release', 'preview', 'operator'] as const satisfies Role[]

export interface TrustedKey {
  readonly algorithm: SignatureAlgorithm
  /** Public JSON Web Key. */
  readonly jwk: Readonly<Record<string, string>>
}

export interface RoleKeys {
  readonly keyIds: readonly string[]
  /** How many different keys of the role must have signed. */
  readonly threshold: number
}

/**
 * Who may sign what. `trust/<n>.json` is signed by the root role of n−1 and of n itself (TUF
 * specification, section 5.3.4), so that trust moves on without touching any BFF.
 */
export interface TrustRoot {
  readonly kind: 'trust-root'
  readonly specVersion: 1
  /** n of `trust/<n>.json`. */
  readonly version: number
  /** Manifests of this root carry it; raising it overrules any version number seen before. */
  readonly epoch: number
  readonly issuedAt: string
  /** By key id: the RFC 7638 thumbprint (SHA-256, base64url) of the public key. */
  readonly keys: Readonly<Record<string, TrustedKey>>
  readonly roles: Readonly<Record<Role, RoleKeys>>
}

const roleKeysSchema: z.ZodMiniType<RoleKeys> = z
  .object({
    keyIds: z.array(z.string()).check(z.maxLength(32)),
    threshold: z.int().check(z.gte(1)),
  })
  .check(
    z.refine((role) => new Set(role.keyIds).size === role.keyIds.length, 'a key is listed twice'),
  )

export const trustRootSchema: z.ZodMiniType<TrustRoot> = z
  .object({
    kind: z.literal('trust-root'),
    specVersion: z.literal(1),
    version: z.int().check(z.gte(1)),
    epoch: z.int().check(z.gte(1)),
    issuedAt: z.iso.datetime(),
    keys: z.record(
      z.string(),
      z.object({
        algorithm: z.enum(['Ed25519', 'ES256']),
        jwk: z.record(z.string(), z.string()),
      }),
    ),
    roles: z.object({
      root: roleKeysSchema,
      release: roleKeysSchema,
      preview: roleKeysSchema,
      operator: roleKeysSchema,
    }),
  })
  .check(
    z.refine(
      (root) => root.roles.root.keyIds.length >= root.roles.root.threshold,
      'the root role has fewer keys than its threshold',
    ),
  )
