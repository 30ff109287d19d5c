import type { JsonSchema, Settings } from '@needle-faas/runtime/manifest'

export interface ExampleInput {
  readonly port: number
  readonly settings: Pick<Settings, 'http'>
  readonly input: JsonSchema | null
}

/** A curl line that reaches the function, with the fields its schema demands filled in by type. */
export function exampleRequest({ port, settings, input }: ExampleInput): string {
  const { method, path } = settings.http
  const fields = exampleFields(input)
  const inPath = new Set<string>()
  const url = path.replaceAll(/:(\w+)[^/]*/g, (_match, name: string) => {
    inPath.add(name)
    return encodeURIComponent(toText(fields[name]))
  })
  const rest = Object.entries(fields).filter(([name]) => !inPath.has(name))
  const base = `http://127.0.0.1:${port}${url}`
  if (method === 'GET') {
    const query = new URLSearchParams(
      rest.map(([name, value]): [string, string] => [name, toText(value)]),
    )
    return `curl '${base}${rest.length === 0 ? '' : `?${query.toString()}`}'`
  }
  const body = JSON.stringify(Object.fromEntries(rest))
  return `curl -X ${method} ${base} -H 'content-type: application/json' -d '${body}'`
}

function exampleFields(schema: JsonSchema | null): Record<string, unknown> {
  const value = schema === null ? {} : exampleOf(schema)
  return isRecord(value) ? value : {}
}

/** A value that fits most schemas: required fields only, the first of a choice, the least of a range. */
function exampleOf(schema: unknown): unknown {
  if (!isRecord(schema)) return 'x'
  if ('default' in schema) return schema['default']
  if ('const' in schema) return schema['const']
  const choice = [schema['enum'], schema['anyOf'], schema['oneOf']].find(Array.isArray)
  if (choice !== undefined) return choice === schema['enum'] ? choice[0] : exampleOf(choice[0])
  switch (schema['type']) {
    case 'object': {
      const properties = isRecord(schema['properties']) ? schema['properties'] : {}
      const required = Array.isArray(schema['required']) ? schema['required'] : []
      return Object.fromEntries(
        Object.entries(properties)
          .filter(([name]) => required.includes(name))
          .map(([name, property]) => [name, exampleOf(property)]),
      )
    }
    case 'array':
      return [exampleOf(schema['items'])]
    case 'integer':
    case 'number':
      return typeof schema['minimum'] === 'number' ? schema['minimum'] : 1
    case 'boolean':
      return true
    case 'null':
      return null
    default:
      return 'x'
  }
}

function toText(value: unknown): string {
  if (value === undefined) return 'x'
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
