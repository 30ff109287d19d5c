import type * as vm from 'node:vm'
import type { PlainObject, PlainSchema } from './plain-schema.ts'
import { createSharedScripts } from './shared-scripts.ts'

/** The JSON of a value that fits a schema, its keys in the order of the schema. */
export type JsonWriter = (value: unknown) => string

const shared = createSharedScripts('needle:json-writer')

/**
 * Code of a function that writes the JSON of an object, for the realm it is of (see `fit-check.ts`).
 * `JSON.stringify` finds out anew what the schema says, and in code far from all else: a small answer
 * takes 0.1 µs less, and 0.2 µs where the caches are cold. A list is left to it (50 objects took
 * fast-json-stringify 5 µs more), and so is whatever a getter gives that it did not give when it was
 * checked. Null for a schema whose values `JSON.stringify` is to write as a whole.
 */
export function toJsonWriterScript(schema: PlainSchema): vm.Script | null {
  return schema.kind === 'object' && isWritable(schema) ? shared(toSource(schema)) : null
}

/** Whether each of its keys has a JSON: what may be anything may be a function, whose key is left out. */
function isWritable(schema: PlainSchema): boolean {
  if (schema.kind === 'nullable') return isWritable(schema.of)
  if (schema.kind !== 'object') return schema.kind !== 'anything'
  return schema.properties.every((property) => isWritable(property.schema))
}

function toSource(schema: PlainObject): string {
  const lines: string[] = []

  const defineObject = ({ properties }: PlainObject): string => {
    const parts: string[] = []
    let mayBeFirst = true
    for (const { name, isOptional, schema: property } of properties) {
      const key = `${JSON.stringify(name)}:`
      const read = `property = value[${JSON.stringify(name)}];`
      const separated = JSON.stringify(`,${key}`)
      const label = mayBeFirst
        ? `(json === '{' ? ${JSON.stringify(key)} : ${separated})`
        : separated
      const write = `json += ${label} + ${jsonOf(property)};`
      parts.push(isOptional ? `${read} if (property !== undefined) ${write}` : `${read} ${write}`)
      if (!isOptional) mayBeFirst = false
    }
    const writer = `object${lines.length}`
    lines.push(`const ${writer} = (value) => {
  if (typeof value !== 'object' || value === null) return other(value);
  let json = '{';
  let property;
  ${parts.join('\n  ')}
  return json + '}';
};`)
    return writer
  }

  /** An expression that gives the JSON of `property`. */
  const jsonOf = (schema: PlainSchema): string => {
    switch (schema.kind) {
      case 'boolean':
        return 'truth(property)'
      case 'string':
        return 'text(property)'
      case 'number':
        return 'number(property)'
      case 'nullable':
        return `(property === null ? 'null' : ${jsonOf(schema.of)})`
      case 'object':
        return `${defineObject(schema)}(property)`
      case 'literal':
        return schema.values.every((value) => typeof value === 'string')
          ? 'text(property)'
          : 'other(property)'
      case 'array':
      case 'anything':
        return 'other(property)'
      default:
        return schema satisfies never
    }
  }

  const writer = defineObject(schema)
  return `'use strict';
(() => {
const { stringify } = JSON;
const { isFinite } = Number;
const other = (value) => stringify(value) ?? 'null';
const truth = (value) => value === true ? 'true' : value === false ? 'false' : other(value);
const number = (value) => isFinite(value) ? '' + value : other(value);
const text = (value) => {
  if (typeof value !== 'string' || value.length > ${maxLooked}) return other(value);
  for (let at = 0; at < value.length; at++) {
    const unit = value.charCodeAt(at);
    if (unit < 0x20 || unit === 0x22 || unit === 0x5c || (unit >= 0xd800 && unit < 0xe000)) return other(value);
  }
  return '"' + value + '"';
};
${lines.join('\n')}
return ${writer};
})()`
}

/** UTF-16 units of a text that are looked at one by one; `JSON.stringify` is faster with more. */
const maxLooked = 40
