import type { StandardJSONSchemaV1, StandardSchemaV1 } from '@standard-schema/spec'
import * as z from 'zod/mini'
import { RuntimeError } from '../../errors.ts'
import type { Contract, JsonSchema } from '../../manifest/release.ts'

type Side = 'input' | 'output'

/** What the derivation needs to know about one function. */
export interface ContractSource {
  readonly functionName: string
  readonly input: StandardSchemaV1 | null
  readonly output: StandardSchemaV1 | null
  /** The zod registry of the container, which holds `describe` and `meta`; undefined without zod. */
  readonly zodRegistry?: unknown
}

/**
 * The contract as JSON Schema: `input` as callers send it, `output` as it goes over the wire. What
 * the schemas check beyond it is listed in `unexpressed`.
 *
 * zod's schemas are read by the host's copy of zod; other libraries must offer Standard JSON
 * Schema, or their side of the contract is null and listed.
 *
 * @throws RuntimeError `FUNCTION_SCHEMA_INEXPRESSIBLE` naming side and path, for a schema whose
 * values JSON cannot carry (dates, bigints, transforms on the way out…)
 */
export function deriveContract(source: ContractSource): Contract {
  const unexpressed: string[] = []
  const derive = (side: Side): JsonSchema | null => {
    const schema = source[side]
    if (schema === null) return null
    if (isZodSchema(schema)) return fromZod(schema, side, source, unexpressed)
    if (hasJsonSchema(schema)) return fromStandard(schema, side, source)
    unexpressed.push(`${side}: ${schema['~standard'].vendor} offers no JSON Schema`)
    return null
  }
  return { input: derive('input'), output: derive('output'), unexpressed }
}

const target = 'draft-2020-12'

/** Types of zod that have no JSON: what `unrepresentable: 'throw'` refuses, to find where it did. */
const typesWithoutJson = new Set(
  'bigint custom date file function map nan promise set success symbol transform undefined void'.split(
    ' ',
  ),
)

/** Checks of zod that JSON Schema says too. */
const expressedChecks = new Set(
  'greater_than length_equals less_than max_length mime_type min_length multiple_of number_format string_format'.split(
    ' ',
  ),
)

function fromZod(
  schema: z.core.$ZodType,
  io: Side,
  source: ContractSource,
  unexpressed: string[],
): JsonSchema {
  const options = {
    io,
    target,
    ...(isZodRegistry(source.zodRegistry) && { metadata: source.zodRegistry }),
  } as const
  const found = new Set<string>()
  try {
    const jsonSchema = z.toJSONSchema(schema, {
      ...options,
      unrepresentable: 'throw',
      override: ({ zodSchema, path }) => {
        for (const check of zodSchema._zod.def.checks ?? []) {
          const kind = check._zod.def.check
          if (expressedChecks.has(kind)) continue
          found.add(`${authorPath(io, path)}: ${kind === 'custom' ? 'refine' : kind}`)
        }
      },
    })
    unexpressed.push(...[...found].toSorted())
    return toPlain(jsonSchema)
  } catch (cause) {
    const places: string[] = []
    z.toJSONSchema(schema, {
      ...options,
      unrepresentable: 'any',
      override: ({ zodSchema, path }) => {
        const { type } = zodSchema._zod.def
        if (typesWithoutJson.has(type)) places.push(`${authorPath(io, path)} (${type})`)
      },
    })
    throw inexpressible(source.functionName, places.length > 0 ? places : [io], cause)
  }
}

function fromStandard(schema: StandardJsonSchema, io: Side, source: ContractSource): JsonSchema {
  try {
    return toPlain(schema['~standard'].jsonSchema[io]({ target }))
  } catch (cause) {
    throw inexpressible(source.functionName, [io], cause)
  }
}

function inexpressible(functionName: string, places: readonly string[], cause: unknown) {
  return new RuntimeError(
    'FUNCTION_SCHEMA_INEXPRESSIBLE',
    `${functionName}: JSON Schema cannot express ${places.join(', ')}. Describe what goes over the wire, ` +
      'such as z.iso.datetime() for a date or z.string() for a bigint, and convert in the handler.',
    { cause, details: { function: functionName, places } },
  )
}

/** `['properties', 'items', 'items', 'properties', 'sku']` → `input.items[].sku`. */
function authorPath(side: Side, path: readonly (string | number)[]): string {
  let text: string = side
  for (let index = 0; index < path.length; index += 1) {
    const keyword = path[index]
    if (keyword === 'properties') text += `.${String(path[(index += 1)])}`
    else if (keyword === 'items') text += '[]'
    else if (keyword === 'additionalProperties') text += '.*'
    else if (keyword === 'prefixItems') text += `[${String(path[(index += 1)])}]`
  }
  return text
}

/** A schema made in another realm, or with functions on it, becomes plain data of this one. */
function toPlain(jsonSchema: unknown): JsonSchema {
  const plain: unknown = JSON.parse(JSON.stringify(jsonSchema))
  return z.record(z.string(), z.unknown()).parse(plain)
}

interface StandardJsonSchema {
  readonly '~standard': { readonly jsonSchema: StandardJSONSchemaV1.Converter }
}

function isZodSchema(schema: object): schema is z.core.$ZodType {
  return '_zod' in schema
}

function hasJsonSchema(schema: StandardSchemaV1): schema is StandardSchemaV1 & StandardJsonSchema {
  return 'jsonSchema' in schema['~standard']
}

function isZodRegistry(value: unknown): value is z.core.$ZodRegistry<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && '_idmap' in value
}
