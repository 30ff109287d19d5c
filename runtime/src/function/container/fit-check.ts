import * as vm from 'node:vm'
import type { PlainBound, PlainLiteral, PlainSchema } from './plain-schema.ts'

/** Whether a value is sure to be taken by a schema, and handed on as it is. Never a refusal. */
export type FitCheck = (value: unknown) => boolean

const scripts = new Map<string, vm.Script>()
const maxScripts = 1000

/**
 * Code of a function that is the check, for the realm its values are of: to V8, objects of each realm
 * have shapes of their own. A thousandth function with the same schema shares the compiled code of
 * the first.
 */
export function toFitCheckScript(schema: PlainSchema): vm.Script {
  const source = toSource(schema)
  const known = scripts.get(source)
  if (known !== undefined) return known
  const script = new vm.Script(source, { filename: 'needle:fit-check' })
  if (scripts.size >= maxScripts) scripts.clear()
  scripts.set(source, script)
  return script
}

function toSource(schema: PlainSchema): string {
  const functions: string[] = []

  /** An expression that says whether the variable of this name fits. */
  const fits = (schema: PlainSchema, name: string): string => {
    switch (schema.kind) {
      case 'anything':
        return `${name} !== undefined`
      case 'boolean':
        return `typeof ${name} === 'boolean'`
      case 'string':
        return all([
          `typeof ${name} === 'string'`,
          ...schema.bounds.map((bound) => isWithinText(name, bound)),
        ])
      case 'number':
        return all([
          schema.isInteger ? `isSafeInteger(${name})` : `isFinite(${name})`,
          ...schema.bounds.map((bound) => isWithin(name, bound)),
        ])
      case 'literal':
        return isOneOf(name, schema.values)
      case 'nullable':
        return `(${name} === null || (${fits(schema.of, name)}))`
      case 'array':
        return `${arrayCheck(schema)}(${name})`
      case 'object':
        return `${objectCheck(schema)}(${name})`
      default:
        return schema satisfies never
    }
  }

  const define = (body: string): string => {
    const name = `fits${functions.length}`
    functions.push(`const ${name} = (value) => {\n${body}\n};`)
    return name
  }

  const arrayCheck = ({ bounds, items }: Extract<PlainSchema, { kind: 'array' }>): string =>
    define(`if (!(${all(['isArray(value)', ...bounds.map((bound) => isWithin('value.length', bound))])})) return false;
for (let index = 0; index < value.length; index++) {
  const item = value[index];
  if (!(${fits(items, 'item')})) return false;
}
return true;`)

  // Each key is there for everybody to see, and no other, which zod would take away.
  const objectCheck = ({ properties }: Extract<PlainSchema, { kind: 'object' }>): string => {
    const required = properties.filter(({ isOptional }) => !isOptional)
    const checks = properties.map(({ name, isOptional, schema }) => {
      const check = `if (!(${fits(schema, 'property')})) return false;`
      const read = `property = value[${literal(name)}];`
      return isOptional
        ? `${read} if (property !== undefined) { ${check} keys++; }`
        : `${read} ${check}`
    })
    return define(`if (typeof value !== 'object' || value === null || isArray(value)) return false;
if (typeof value.toJSON === 'function') return false;
let keys = ${required.length};
let property;
${checks.join('\n')}
for (const key in value) {
  if (!${isOneOf(
    'key',
    properties.map(({ name }) => name),
  )}) return false;
  keys--;
}
return keys === 0;`)
  }

  const result = fits(schema, 'value')
  return `'use strict';
(() => {
const { isArray } = Array;
const { isFinite, isSafeInteger } = Number;
${functions.join('\n')}
return (value) => ${result};
})()`
}

function all(conditions: readonly string[]): string {
  return conditions.join(' && ')
}

function isOneOf(name: string, values: readonly PlainLiteral[]): string {
  return `(${values.map((value) => `${name} === ${literal(value)}`).join(' || ') || 'false'})`
}

function isWithin(name: string, { than, value }: PlainBound): string {
  return `${name} ${than} ${literal(value)}`
}

/** A code point is one or two UTF-16 units: a text that passes both ways passes whoever counts. */
function isWithinText(name: string, { than, value }: PlainBound): string {
  const units = than === '<=' || value <= 1 ? value : 2 * value
  return isWithin(`${name}.length`, { than, value: units })
}

/** As code; JSON of a string is a literal of it. */
function literal(value: PlainLiteral): string {
  return Object.is(value, -0) ? '-0' : JSON.stringify(value)
}
