import fastJson from 'fast-json-stringify'
import type { JsonSchema } from '../manifest/release.ts'

/** Turns validated results into JSON text. */
export interface OutputSerializer {
  /** Undefined when the value has no JSON, as `JSON.stringify` says it. */
  serialize(value: unknown): string | undefined
  /** Why the schema does not speed it up; null when it does. */
  readonly unaided: string | null
}

/**
 * A serialiser built from the contract's output schema that writes, for values the schema accepts,
 * what `JSON.stringify` writes. Parts of a schema without one certain shape (unions, records,
 * references…) go through `JSON.stringify`, and so does a value the generated code stumbles over.
 */
export function createOutputSerializer(schema: JsonSchema | null): OutputSerializer {
  if (schema === null) return unaided('the contract has no output schema')
  const shape = toShape(schema)
  if (!('type' in shape)) return unaided('the output schema has no single shape')
  try {
    const write = fastJson(shape)
    return {
      unaided: null,
      serialize: (value) => {
        try {
          return write(value)
        } catch {
          // A value only the schema library accepts; a cycle or a bigint throws again here.
          return JSON.stringify(value)
        }
      },
    }
  } catch (error) {
    return unaided(error instanceof Error ? error.message : String(error))
  }
}

function unaided(reason: string): OutputSerializer {
  return { unaided: reason, serialize: (value) => JSON.stringify(value) }
}

type Shape = Record<string, unknown>

/** The subset of a schema the generated code treats exactly as JSON.stringify; the rest is `{}`: anything. */
function toShape(schema: unknown): Shape {
  if (!isRecord(schema)) return {}
  if (Array.isArray(schema['type'])) return nullableShape(schema, schema['type'])
  if (Array.isArray(schema['anyOf'])) return nullableUnion(schema['anyOf'])
  switch (schema['type']) {
    case 'string':
    case 'boolean':
      return { type: schema['type'] }
    case 'number':
    case 'integer':
      // `integer` would round what the library let through.
      return { type: 'number' }
    case 'array':
      return 'prefixItems' in schema ? {} : { type: 'array', items: toShape(schema['items']) }
    case 'object':
      return objectShape(schema)
    default:
      return {}
  }
}

function objectShape(schema: Shape): Shape {
  if (!isRecord(schema['properties']) || 'patternProperties' in schema) return {}
  if (schema['additionalProperties'] !== false) return {}
  const properties = Object.fromEntries(
    Object.entries(schema['properties']).map(([name, value]) => [name, toShape(value)]),
  )
  return { type: 'object', properties, required: leadingRequired(properties, schema['required']) }
}

/** The generated code writes required properties first: only those that come first anyway may count. */
function leadingRequired(properties: Shape, required: unknown): string[] {
  const names = Object.keys(properties)
  const isRequired = (name: string): boolean => Array.isArray(required) && required.includes(name)
  const firstOptional = names.findIndex((name) => !isRequired(name))
  return firstOptional < 0 ? names : names.slice(0, firstOptional)
}

function nullableShape(schema: Shape, types: readonly unknown[]): Shape {
  const [type, ...more] = types.filter((type) => type !== 'null')
  return more.length > 0 ? {} : nullable(toShape({ ...schema, type }))
}

function nullableUnion(branches: readonly unknown[]): Shape {
  const [branch, ...more] = branches.filter((one) => !isRecord(one) || one['type'] !== 'null')
  return more.length > 0 || branches.length !== 2 ? {} : nullable(toShape(branch))
}

function nullable(shape: Shape): Shape {
  return 'type' in shape ? { ...shape, nullable: true } : shape
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
