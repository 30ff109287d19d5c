import * as z from 'zod/mini'
import { type Probe, probesSchema } from './probe.ts'

export type HttpMethod = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

export const httpMethods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const satisfies HttpMethod[]

/**
 * What of a function's configuration the platform needs, apart from its code. It is read at build
 * by evaluating the bundle once, completed from the repository's policies, and has a digest of its
 * own, so that a change of settings alone is a change.
 */
export interface Settings {
  /** Path in find-my-way syntax with a leading slash: `/shop/card/:userId`. */
  readonly http: { readonly method: HttpMethod; readonly path: string }
  /** Names of the services the function may call, sorted. */
  readonly uses: readonly string[]
  /** From the start of a call to its 504. */
  readonly timeoutMs: number
  /** Whether calling twice with the same input is harmless. A GET is unless it says otherwise. */
  readonly idempotent: boolean
  /** Largest request body accepted. */
  readonly maxBodyBytes: number
  /** Calls that may run at once on one instance; beyond it 503 with Retry-After. */
  readonly maxConcurrency: number
  /**
   * Calls that may wait for one of those to end, within their own deadline; beyond it 503. Absent: 0.
   */
  readonly maxQueue?: number | undefined
  /** Example calls that are safe to repeat, only of an idempotent function. Absent: none. */
  readonly probes?: readonly Probe[] | undefined
}

export const settingsSchema: z.ZodMiniType<Settings> = z.object({
  http: z.object({
    method: z.enum(httpMethods),
    path: z.string().check(z.startsWith('/'), z.maxLength(512)),
  }),
  uses: z.array(z.string().check(z.maxLength(80))).check(z.maxLength(100)),
  timeoutMs: z.int().check(z.gte(1), z.lte(300_000)),
  idempotent: z.boolean(),
  maxBodyBytes: z.int().check(z.gte(0), z.lte(50 * 1024 * 1024)),
  maxConcurrency: z.int().check(z.gte(1), z.lte(100_000)),
  maxQueue: z.optional(z.int().check(z.gte(0), z.lte(100_000))),
  probes: z.optional(probesSchema),
})

/** What a function that says nothing gets; `http` comes from its name. */
export const settingsDefaults = {
  timeoutMs: 3_000,
  maxBodyBytes: 1024 * 1024,
  maxConcurrency: 256,
} as const
