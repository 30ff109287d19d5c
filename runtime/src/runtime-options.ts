import { hostname } from 'node:os'
import * as z from 'zod/mini'
import { type Clock, systemClock } from './clock.ts'
import { RuntimeError } from './errors.ts'
import type { Logger } from './function/authoring/function-context.ts'
import type { Services } from './function/authoring/services.ts'
import type { Call } from './function/call.ts'
import { inEnglish } from './in-english.ts'
import { environmentNameSchema, nameSegmentSchema } from './manifest/function-name.ts'
import type { ArtifactStore } from './store/artifact-store.ts'
import type { RuntimeEvent } from './sync/status.ts'

export interface SourceOptions {
  /** `file:<path>`, `s3://<bucket>/<prefix>?…`, `memory:`, or a store of your own, which the runtime does not close. */
  readonly store: string | ArtifactStore
  /** Default `production`. */
  readonly environment?: string | undefined
  /** Default 5000. Polls are spread over ± 25 % of it. */
  readonly pollIntervalMs?: number | undefined
  /** Where one process keeps its last known good state; without it a start needs the store. */
  readonly cacheDirectory?: string | undefined
  /** How long a start waits for the first state before it goes on without one. Default 5000. */
  readonly bootDeadlineMs?: number | undefined
  /** Oldest manifest version taken, for a start without a cache directory. */
  readonly minVersion?: number | undefined
}

export interface WatchdogLimits {
  /** Longest time a function may hold the event loop. Default 300, at least 100. */
  readonly limitMs?: number | undefined
}

export interface RuntimeOptions {
  readonly source: SourceOptions
  /** Business groups whose functions are served here. */
  readonly groups: readonly string[]
  /** Path below which the host serves functions, for the route their spans name. Default: none. */
  readonly prefix?: string
  /** The trust root document (`trust/<n>.json`) this host believes, or the path of its file. */
  readonly trust: string | Uint8Array
  /** What functions may call, by name; each gets those it declared. */
  // oxlint-disable-next-line typescript/no-generated-empty-object-type -- empty until a repository declares its services
  readonly services?: Partial<Services> | undefined
  /**
   * Who is asking: one key stays on its side of a rollout. Asked where the rollout's policy names no
   * key, or the request lacks it. Default, and where this is empty or throws: the `x-needle-key`
   * header, else the first address of `x-forwarded-for`, else the client's address.
   */
  readonly stickyKey?: ((call: Call) => string) | undefined
  /** Default: JSON lines on standard output, without `debug`. */
  readonly log?: Logger | undefined
  readonly onEvent?: ((event: RuntimeEvent) => void) | undefined
  readonly clock?: Clock | undefined
  /** How long a replaced revision may finish its calls. Default 30 000. */
  readonly drainTimeoutMs?: number | undefined
  /** Previous releases kept loaded per function, so that a rollback compiles nothing. Default 1. */
  readonly warmPrevious?: number | undefined
  /**
   * Functions to load before anybody calls them, those called lately first; a further one is loaded
   * by its first call. Default 50.
   */
  readonly loadAhead?: number | undefined
  /** How long a function that nobody calls stays in memory, past `loadAhead` of them. Default 15 minutes. */
  readonly evictAfterMs?: number | undefined
  /**
   * Name of this instance in reports and metrics. Default: host name and process id, and from the
   * second runtime of a process on its number.
   */
  readonly instance?: string | undefined
  /**
   * Stops functions that hold the event loop, from a thread of its own: the call answers 504, and
   * its revision serves no more on this instance. `false`: none.
   */
  readonly watchdog?: WatchdogLimits | false | undefined
  /**
   * Calls of a revision here before it is proven. Until then each is on the record in the cache
   * directory while it runs, and under a guard of its own that ends synchronous code after 80 % of
   * `watchdog.limitMs`. Default 20.
   */
  readonly probationCalls?: number | undefined
  /**
   * How late the event loop may run, in milliseconds over about a second, before calls of the
   * function that takes most of it are answered 503, then of the next. `false`: however late. Default 200.
   */
  readonly maxLoopDelayMs?: number | false | undefined
  /**
   * How often, ± 25 %, one canary that has had too few calls to judge its step by is called with an
   * example its author declared, and stable after it. `false`: never. Default 30 000.
   */
  readonly probeIntervalMs?: number | false | undefined
  /** Whether to write what this instance runs to the store. Default true. */
  readonly report?: boolean | undefined
}

/**
 * Checks the options of `createRuntime` and fills in the defaults.
 *
 * @throws RuntimeError `OPTIONS_INVALID` with every problem there is, in `details.problems`.
 */
export function parseRuntimeOptions(options: unknown) {
  const result = optionsSchema.safeParse(options, inEnglish)
  if (result.success) return Object.freeze(result.data)
  const problems = result.error.issues.map(
    (issue) => `${issue.path.map(String).join('.') || 'options'}: ${issue.message}`,
  )
  throw new RuntimeError(
    'OPTIONS_INVALID',
    `Needle cannot start with these options:\n${problems.map((problem) => `- ${problem}`).join('\n')}`,
    { details: { problems } },
  )
}

const durationMs = z.int().check(z.gte(1), z.lte(24 * 60 * 60 * 1000))

const storeSchema = z.custom<ArtifactStore>(
  (value) => typeof value === 'object' && value !== null && 'get' in value && 'put' in value,
  'give a store url such as "file:./store" or "s3://bucket/prefix", or a store',
)

let unnamed = 0

/** Two runtimes of a process must not report, or be measured, as one. */
function nameInstance(): string {
  unnamed += 1
  const name = `${hostname().replaceAll(/[^A-Za-z0-9.-]/g, '-')}-${process.pid}`
  return unnamed === 1 ? name : `${name}-${unnamed}`
}

const functionSchema = <Type>(what: string) =>
  z.custom<Type>((value) => typeof value === 'function', `must be a function ${what}`)

const objectSchema = <Type>(what: string, ...members: string[]) =>
  z.custom<Type>(
    (value) =>
      typeof value === 'object' && value !== null && members.every((member) => member in value),
    `must be ${what}`,
  )

const optionsSchema = z.strictObject({
  source: z.strictObject({
    store: z.union([z.string().check(z.minLength(1)), storeSchema], {
      error: 'give a store url such as "file:./store" or "s3://bucket/prefix", or a store',
    }),
    environment: z._default(environmentNameSchema, 'production'),
    pollIntervalMs: z._default(durationMs, 5000),
    cacheDirectory: z.optional(z.string().check(z.minLength(1))),
    bootDeadlineMs: z._default(durationMs, 5000),
    minVersion: z.optional(z.int().check(z.gte(1))),
  }),
  groups: z.array(nameSegmentSchema).check(z.minLength(1, 'name at least one group to serve')),
  prefix: z._default(z.string(), ''),
  trust: z.union([z.string().check(z.minLength(1)), z.instanceof(Uint8Array)], {
    error: 'give the path of the trust root document, or its bytes',
  }),
  services: z._default(
    objectSchema<Readonly<Record<string, unknown>>>('an object of services'),
    {},
  ),
  stickyKey: z.optional(functionSchema<(call: Call) => string>('from a call to a string')),
  log: z.optional(objectSchema<Logger>('a logger', 'debug', 'info', 'warn', 'error')),
  onEvent: z.optional(functionSchema<(event: RuntimeEvent) => void>('of an event')),
  clock: z._default(objectSchema<Clock>('a clock', 'now', 'sleep'), systemClock),
  drainTimeoutMs: z._default(durationMs, 30_000),
  warmPrevious: z._default(z.int().check(z.gte(0), z.lte(10)), 1),
  loadAhead: z._default(z.int().check(z.gte(0), z.lte(100_000)), 50),
  evictAfterMs: z._default(durationMs, 15 * 60 * 1000),
  instance: z._default(
    z
      .string()
      .check(
        z.regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/, 'use letters, digits, ".", "_" and "-"'),
      ),
    nameInstance,
  ),
  probationCalls: z._default(z.int().check(z.gte(0), z.lte(10_000)), 20),
  maxLoopDelayMs: z._default(
    z.union([z.literal(false), z.int().check(z.gte(10), z.lte(60_000))]),
    200,
  ),
  probeIntervalMs: z._default(z.union([z.literal(false), durationMs]), 30_000),
  report: z._default(z.boolean(), true),
  watchdog: z.prefault(
    z.union([
      z.literal(false),
      z.strictObject({ limitMs: z._default(z.int().check(z.gte(100), z.lte(60_000)), 300) }),
    ]),
    {},
  ),
})
