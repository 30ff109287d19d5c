import * as z from 'zod/mini'

/**
 * An example call of a function, safe to make at any time and as often as one likes. What is absent
 * is empty.
 */
export interface Probe {
  /** Values of the path's parameters, decoded: all it has. */
  readonly params?: Readonly<Record<string, string>>
  /** A list repeats the key. */
  readonly query?: Readonly<Record<string, string | readonly string[]>>
  /** Sent as JSON. */
  readonly body?: unknown
  /** Names in lower case. */
  readonly headers?: Readonly<Record<string, string>>
  /** The status of a good answer. Default: any but those the function is to blame for, as a 500. */
  readonly expectStatus?: number
}

/** How many a function may have, and how long each may be, as JSON. */
export const probeLimits = { count: 10, bytes: 4096 } as const

const probeShape = {
  params: z.exactOptional(z.record(z.string(), z.string())),
  query: z.exactOptional(z.record(z.string(), z.union([z.string(), z.array(z.string())]))),
  // It was read from JSON.
  body: z.exactOptional(z.unknown()),
  headers: z.exactOptional(
    z.record(
      z.string().check(z.regex(/^[a-z0-9-]+$/, 'use lower case, digits and "-"')),
      z.string(),
    ),
  ),
  expectStatus: z.exactOptional(z.int().check(z.gte(100), z.lte(599))),
}

const isShort = (probe: Probe): boolean =>
  Buffer.byteLength(JSON.stringify(probe)) <= probeLimits.bytes
const tooLong = `must not exceed ${probeLimits.bytes} bytes as JSON`

/** As an author writes them. */
export const declaredProbesSchema = z
  .array(
    z
      .strictObject({ ...probeShape, body: z.exactOptional(z.json()) })
      .check(z.refine(isShort, tooLong)),
  )
  .check(z.maxLength(probeLimits.count))

/** As a release carries them. */
export const probesSchema: z.ZodMiniType<readonly Probe[]> = z
  .array(z.object(probeShape).check(z.refine(isShort, tooLong)))
  .check(z.maxLength(probeLimits.count))
