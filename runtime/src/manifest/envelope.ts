// By parts: all of it with its JWE, JWT and key sets takes twice the memory.
import { flattenedVerify } from 'jose/jws/flattened/verify'
import { GeneralSign } from 'jose/jws/general/sign'
import { importJWK } from 'jose/key/import'
import * as z from 'zod/mini'
import { RuntimeError } from '../errors.ts'
import { pause } from '../pause.ts'
import { assertSize, parseJson } from './document.ts'
import type { Manifest } from './manifest.ts'
import type { Release } from './release.ts'
import type { Signer } from './signing-key.ts'
import { sizeLimit } from './size-limit.ts'
import type { TrustedKey, TrustRoot } from './trust-root.ts'

/** The documents that are signed. Group and quarantine documents are vouched for by digest instead. */
export type SignedDocument = TrustRoot | Manifest | Release
export type SignedKind = SignedDocument['kind']

/** One signature of an envelope; nothing in it is believed before it is verified. */
export interface EnvelopeSignature {
  readonly keyId: string
  readonly protected: string
  readonly signature: string
}

/** A JWS taken apart, not verified. */
export interface Envelope {
  readonly kind: SignedKind
  /** What to call it in errors. */
  readonly source: string
  /** The signed bytes. */
  readonly payload: Uint8Array
  readonly encodedPayload: string
  readonly signatures: readonly EnvelopeSignature[]
}

/** Largest signed document in stored bytes. */
export const signedSizeLimit = {
  'trust-root': sizeLimit.trustRootBytes,
  manifest: sizeLimit.manifestBytes,
  release: sizeLimit.releaseBytes,
} as const satisfies Record<SignedKind, number>

/**
 * The document as JWS in general JSON serialization (RFC 7515, 7.2.1), one signature per signer.
 * These bytes are what is stored and what its digest is taken of.
 *
 * @throws RuntimeError `DOCUMENT_TOO_LARGE` when nobody would accept the result, `OPTIONS_INVALID`
 *   without a signer.
 */
export async function signDocument(
  document: { readonly kind: SignedKind; readonly payload: SignedDocument },
  signers: readonly Signer[],
): Promise<Uint8Array> {
  const { kind, payload } = document
  if (signers.length === 0) {
    throw new RuntimeError('OPTIONS_INVALID', `A ${kind} needs at least one signer`)
  }
  const jws = new GeneralSign(new TextEncoder().encode(JSON.stringify(payload)))
  for (const { keyId, algorithm, privateKey } of signers) {
    jws
      .addSignature(privateKey)
      .setProtectedHeader({ alg: algorithm, kid: keyId, typ: mediaTypeOf(kind) })
  }
  const bytes = new TextEncoder().encode(serialize(await jws.sign()))
  assertSize(bytes, { name: kind, maxBytes: signedSizeLimit[kind] }, `The signed ${kind}`)
  return bytes
}

/**
 * Takes an envelope apart. Only the one serialization that `signDocument` writes is taken: a
 * signed document then has one digest, whoever stores it, and bytes that no signature covers
 * (unprotected headers, duplicate members, spaces, slack bits of base64url) cannot be changed.
 *
 * @throws RuntimeError `DOCUMENT_TOO_LARGE`, `DOCUMENT_MALFORMED`, `DOCUMENT_UNSIGNED`,
 *   `DOCUMENT_WRONG_KIND`.
 */
export function openEnvelope(bytes: Uint8Array, kind: SignedKind, source: string = kind): Envelope {
  const format = { name: `signed ${kind}`, maxBytes: signedSizeLimit[kind] }
  assertSize(bytes, format, source)
  const json = parseJson(bytes, format, source)
  const jws = jwsSchema.safeParse(json)
  if (!jws.success || jws.data.signatures.length === 0) {
    const isBareDocument = bareDocumentSchema.safeParse(json).success
    const isUnsigned = isBareDocument || (jws.success && jws.data.signatures.length === 0)
    throw new RuntimeError(
      isUnsigned ? 'DOCUMENT_UNSIGNED' : 'DOCUMENT_MALFORMED',
      isUnsigned
        ? `${source} carries no signature; only signed documents are accepted`
        : `${source} is no JWS in general JSON serialization`,
      { details: { source } },
    )
  }
  if (serialize(jws.data) !== Buffer.from(bytes).toString('utf8')) {
    throw new RuntimeError(
      'DOCUMENT_MALFORMED',
      `${source} is not serialized the way it was signed; something rewrote its bytes`,
      { details: { source } },
    )
  }
  return {
    kind,
    source,
    payload: decodeBase64url(jws.data.payload, source),
    encodedPayload: jws.data.payload,
    signatures: jws.data.signatures.map((entry) => readSignature(entry, kind, source)),
  }
}

/**
 * The payload alone, of bytes that a verified document names by their digest: they are what was signed,
 * so that only the signatures are left to look at, with `openEnvelope`. That takes three times as long.
 *
 * @throws RuntimeError as `openEnvelope` when there is no payload in them.
 */
export function readPayload(
  bytes: Uint8Array,
  kind: SignedKind,
  source: string = kind,
): Uint8Array {
  const format = { name: `signed ${kind}`, maxBytes: signedSizeLimit[kind] }
  assertSize(bytes, format, source)
  const { success, data } = payloadSchema.safeParse(parseJson(bytes, format, source))
  return success ? decodeBase64url(data.payload, source) : openEnvelope(bytes, kind, source).payload
}

/**
 * Whether this one signature is of this key, over the exact payload received. The algorithm is the
 * trust root's; a header that claims another is refused (RFC 8725, 3.1: algorithm confusion).
 */
export async function isSignedBy(
  envelope: Envelope,
  signature: EnvelopeSignature,
  key: TrustedKey,
): Promise<boolean> {
  const { protected: header, signature: value } = signature
  try {
    const imported = await importKey(key)
    // The first of a process loads half of WebCrypto for each of the two.
    await pause()
    await flattenedVerify(
      { payload: envelope.encodedPayload, protected: header, signature: value },
      imported,
      { algorithms: [key.algorithm] },
    )
    return true
  } catch {
    // Whatever jose objects to (a wrong signature, an unknown `crit`, a point off the curve), the
    // signature does not count, and the caller says so with the key's id.
    return false
  }
}

/** Imported once: a start verifies a signature of the same key per function. */
const importedKeys = new WeakMap<TrustedKey, ReturnType<typeof importJWK>>()

function importKey(key: TrustedKey): ReturnType<typeof importJWK> {
  const imported = importedKeys.get(key) ?? importJWK({ ...key.jwk }, key.algorithm)
  importedKeys.set(key, imported)
  return imported
}

interface GeneralJws {
  readonly payload: string
  readonly signatures: readonly {
    readonly protected?: string | undefined
    readonly signature: string
  }[]
}

const jwsSchema = z.strictObject({
  payload: z.string(),
  // A cap, so that nobody can make a runtime verify thousands of signatures.
  signatures: z
    .array(
      z.strictObject({
        protected: z.string().check(z.maxLength(1024)),
        signature: z.string().check(z.maxLength(1024)),
      }),
    )
    .check(z.maxLength(64)),
})

const payloadSchema = z.object({ payload: z.string() })

const bareDocumentSchema = z.object({ kind: z.string(), specVersion: z.number() })

const headerSchema = z.object({
  alg: z.string(),
  kid: z.string().check(z.maxLength(128)),
  typ: z.string(),
})

function serialize(jws: GeneralJws): string {
  return JSON.stringify({
    payload: jws.payload,
    signatures: jws.signatures.map((entry) => ({
      protected: entry.protected,
      signature: entry.signature,
    })),
  })
}

/** The media type in the protected header; a release can then never pass for a manifest (RFC 8725, 3.11). */
function mediaTypeOf(kind: SignedKind): string {
  return `needle-${kind}+json`
}

function readSignature(
  entry: { readonly protected: string; readonly signature: string },
  kind: SignedKind,
  source: string,
): EnvelopeSignature {
  decodeBase64url(entry.signature, source)
  const header = headerSchema.safeParse(
    parseJson(
      decodeBase64url(entry.protected, source),
      { name: 'JWS protected header' },
      `the header of ${source}`,
    ),
  )
  if (!header.success) {
    throw new RuntimeError(
      'DOCUMENT_MALFORMED',
      `${source} has a signature whose protected header lacks alg, kid or typ`,
      { details: { source } },
    )
  }
  if (header.data.typ !== mediaTypeOf(kind)) {
    throw new RuntimeError(
      'DOCUMENT_WRONG_KIND',
      `${source} is signed as ${JSON.stringify(header.data.typ.slice(0, 60))}, not as ${mediaTypeOf(kind)}`,
      { details: { source } },
    )
  }
  return { ...entry, keyId: header.data.kid }
}

/** Buffer skips what is no base64url; encoding again shows that nothing was skipped. */
function decodeBase64url(text: string, source: string): Uint8Array {
  const bytes = Buffer.from(text, 'base64url')
  if (bytes.toString('base64url') !== text) {
    throw new RuntimeError('DOCUMENT_MALFORMED', `${source} holds invalid base64url`, {
      details: { source },
    })
  }
  return bytes
}
