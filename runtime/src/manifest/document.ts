import * as z from 'zod/mini'
import { RuntimeError } from '../errors.ts'
import { inEnglish } from '../in-english.ts'

export interface DocumentFormat<Document> {
  /** For people: `manifest`, `group document`. */
  readonly name: string
  readonly schema: z.ZodMiniType<Document>
  readonly maxBytes: number
  /** What `kind` must say; signed documents only. */
  readonly kind?: string
}

/**
 * Bytes → JSON → schema → deeply frozen value. Unknown keys are ignored, or kept for who writes
 * again what was read: what reads this may be older than what wrote it.
 *
 * @param source - What to call the bytes in errors, best their key in the store.
 * @throws RuntimeError `DOCUMENT_TOO_LARGE` before anything is parsed, `DOCUMENT_MALFORMED` naming
 *   the first paths at fault, `DOCUMENT_WRONG_KIND`.
 */
export function parseDocument<Document>(
  bytes: Uint8Array,
  format: DocumentFormat<Document>,
  source: string = format.name,
): Document {
  assertSize(bytes, format, source)
  const json = parseJson(bytes, format, source)
  if (format.kind !== undefined) assertKind(json, format.kind, source)
  return checkJson(json, format, source)
}

/**
 * JSON → schema → deeply frozen value.
 *
 * @param path - Where in the document `json` stands.
 * @throws RuntimeError `DOCUMENT_MALFORMED` naming the first paths at fault.
 */
export function checkJson<Value>(
  json: unknown,
  format: { readonly name: string; readonly schema: z.ZodMiniType<Value> },
  source: string,
  path: readonly string[] = [],
): Value {
  return deepFreeze(validateJson(json, format, source, path))
}

/** As `checkJson`, but not frozen. */
export function validateJson<Value>(
  json: unknown,
  format: { readonly name: string; readonly schema: z.ZodMiniType<Value> },
  source: string,
  path: readonly string[] = [],
): Value {
  const result = format.schema.safeParse(json, inEnglish)
  if (!result.success) {
    const issues = result.error.issues.map((issue) => {
      const where = [...path, ...issue.path.map(String)].join('.')
      return `${where || '(whole document)'}: ${issue.message}`
    })
    throw new RuntimeError(
      'DOCUMENT_MALFORMED',
      `${source} is no valid ${format.name}: ${issues.slice(0, 3).join('; ')}`,
      { details: { source, issues: issues.slice(0, 20) } },
    )
  }
  return result.data
}

/** @throws RuntimeError `DOCUMENT_TOO_LARGE`: endless data (TUF specification, 1.5.2). */
export function assertSize(
  bytes: Uint8Array,
  format: { readonly name: string; readonly maxBytes: number },
  source: string,
): void {
  if (bytes.byteLength > format.maxBytes) {
    throw new RuntimeError(
      'DOCUMENT_TOO_LARGE',
      `${source} has ${bytes.byteLength} bytes; a ${format.name} may have ${format.maxBytes}`,
      { details: { source, sizeBytes: bytes.byteLength, maxBytes: format.maxBytes } },
    )
  }
}

/** @throws RuntimeError `DOCUMENT_MALFORMED` when the bytes are no UTF-8 JSON. */
export function parseJson(
  bytes: Uint8Array,
  format: { readonly name: string },
  source: string,
): unknown {
  return parseText(decodeText(bytes, format, source), format, source)
}

/** The first half of `parseJson`, for long documents: each half is milliseconds. */
export function decodeText(
  bytes: Uint8Array,
  format: { readonly name: string },
  source: string,
): string {
  try {
    return strictUtf8.decode(bytes)
  } catch (cause) {
    throw notJson(bytes.byteLength, format, source, cause)
  }
}

/** The second half of `parseJson`. */
export function parseText(
  text: string,
  format: { readonly name: string },
  source: string,
): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw notJson(Buffer.byteLength(text), format, source, cause)
  }
}

function notJson(
  sizeBytes: number,
  format: { readonly name: string },
  source: string,
  cause: unknown,
): RuntimeError {
  return new RuntimeError(
    'DOCUMENT_MALFORMED',
    `${source} is no valid ${format.name}: its ${sizeBytes} bytes are not JSON; it may be truncated`,
    { cause, details: { source } },
  )
}

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

const kindSchema = z.object({ kind: z.string() })

function assertKind(json: unknown, kind: string, source: string): void {
  const found = kindSchema.safeParse(json)
  if (found.success && found.data.kind !== kind) {
    throw new RuntimeError(
      'DOCUMENT_WRONG_KIND',
      `${source} is a ${JSON.stringify(found.data.kind.slice(0, 40))}, not a ${kind}`,
      { details: { source } },
    )
  }
}

/** A loop, not a recursion: a contract may hold JSON nested deeper than the stack. */
export function deepFreeze<Value>(value: Value): Value {
  const pending: unknown[] = [value]
  while (pending.length > 0) {
    const next = pending.pop()
    if (typeof next !== 'object' || next === null || Object.isFrozen(next)) continue
    Object.freeze(next)
    for (const member of Object.values(next)) pending.push(member)
  }
  return value
}
