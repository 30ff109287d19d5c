import type { StandardSchemaV1 } from '@standard-schema/spec'
import * as z from 'zod/mini'
import { RuntimeError } from '../../errors.ts'
import { inEnglish } from '../../in-english.ts'
import { declaredProbesSchema, type Probe } from '../../manifest/probe.ts'
import { type HttpMethod, httpMethods } from '../../manifest/settings.ts'

/** Configuration a function states itself; what is absent comes from defaults and policies. */
export interface DeclaredSettings {
  readonly http?: { readonly method?: HttpMethod; readonly path?: string }
  readonly uses?: readonly string[]
  readonly timeoutMs?: number
  readonly idempotent?: boolean
  readonly maxBodyBytes?: number
  readonly maxConcurrency?: number
  readonly maxQueue?: number
  readonly probes?: readonly Probe[]
}

/** The default export of a function, checked. */
export interface Definition {
  readonly declared: DeclaredSettings
  readonly input: StandardSchemaV1 | null
  readonly output: StandardSchemaV1 | null
  readonly handler: (input: unknown, context: unknown) => unknown
}

const standardSchema = z.custom<StandardSchemaV1>(
  (value) =>
    ((typeof value === 'object' && value !== null) || typeof value === 'function') &&
    '~standard' in value &&
    typeof value['~standard'] === 'object' &&
    value['~standard'] !== null &&
    'validate' in value['~standard'] &&
    typeof value['~standard'].validate === 'function',
  'must be a Standard Schema, such as one of zod or valibot',
)

const declaredShape = {
  http: z.exactOptional(
    z.strictObject({
      method: z.exactOptional(z.enum(httpMethods)),
      path: z.exactOptional(z.string()),
    }),
  ),
  uses: z.exactOptional(z.array(z.string())),
  timeoutMs: z.exactOptional(z.int().check(z.gte(1))),
  idempotent: z.exactOptional(z.boolean()),
  maxBodyBytes: z.exactOptional(z.int().check(z.gte(0))),
  maxConcurrency: z.exactOptional(z.int().check(z.gte(1))),
  maxQueue: z.exactOptional(z.int().check(z.gte(0))),
  probes: z.exactOptional(declaredProbesSchema),
}

const definitionSchema = z.strictObject({
  ...declaredShape,
  input: z.optional(standardSchema),
  output: z.optional(standardSchema),
  handler: z.custom<Definition['handler']>(isHandler, 'must be a function'),
})

/**
 * Reads what a function exports as default: a plain function or an object for `defineFunction`.
 *
 * @throws RuntimeError `FUNCTION_BAD_DEFINITION` naming each key that is wrong or unknown
 */
export function readDefinition(functionName: string, defaultExport: unknown): Definition {
  if (isHandler(defaultExport)) {
    return { declared: {}, input: null, output: null, handler: defaultExport }
  }
  const parsed = definitionSchema.safeParse(defaultExport, inEnglish)
  if (!parsed.success) throw badDefinition(functionName, parsed.error.issues)
  const { handler, input = null, output = null, ...declared } = parsed.data
  return { declared, input, output, handler }
}

/** @internal */
export function badDefinition(
  functionName: string,
  issues: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[],
): RuntimeError {
  const reasons = issues.map(({ path, message }) =>
    path.length === 0 ? message : `"${path.join('.')}": ${message}`,
  )
  return new RuntimeError(
    'FUNCTION_BAD_DEFINITION',
    `${functionName} is not defined as it should be. ${reasons.join('; ')}`,
    { details: { function: functionName, keys: issues.map(({ path }) => path.join('.')) } },
  )
}

function isHandler(value: unknown): value is Definition['handler'] {
  return typeof value === 'function'
}
