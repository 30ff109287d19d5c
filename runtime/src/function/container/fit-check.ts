import type * as vm from 'node:vm'
import type { PlainCheck } from './plain-checks.ts'
import type { PlainArray, PlainLiteral, PlainObject, PlainSchema } from './plain-schema.ts'
import { createSharedScripts } from './shared-scripts.ts'

/** Whether a value is sure to be taken by a schema, and handed on as it is. Never a refusal. */
export type FitCheck = (value: unknown) => boolean

/** Names the code of checks in stacks. */
export const fitCheckUrl = 'needle:fit-check'

const shared = createSharedScripts(fitCheckUrl)

/**
 * Code of a function that is the check, for the realm its values are of: to V8, objects of each realm
 * have shapes of their own.
 */
export function toFitCheckScript(schema: PlainSchema): vm.Script {
  return shared(toSource(schema))
}

/** Writes one script: constants and functions, then the check that uses them. */
function toSource(schema: PlainSchema): string {
  const lines: string[] = []

  const define = (what: 'fits' | 'pattern', code: string): string => {
    const name = `${what}${lines.length}`
    lines.push(`const ${name} = ${code};`)
    return name
  }

  /** An expression that says whether the variable of this name fits. */
  const fits = (schema: PlainSchema, name: string): string => {
    switch (schema.kind) {
      case 'anything':
        return `${name} !== undefined`
      case 'boolean':
        return `typeof ${name} === 'boolean'`
      case 'string':
        return meets(name, [`typeof ${name} === 'string'`], schema.checks.map(toTextCheck))
      case 'number':
        return meets(name, [`isFinite(${name})`], schema.checks)
      case 'literal':
        return isOneOf(name, schema.values)
      case 'nullable':
        return `(${name} === null || (${fits(schema.of, name)}))`
      case 'array':
        return `${define('fits', arrayCheck(schema))}(${name})`
      case 'object':
        return `${define('fits', objectCheck(schema))}(${name})`
      default:
        return schema satisfies never
    }
  }

  const meets = (name: string, before: string[], checks: readonly PlainCheck[]): string =>
    [...before, ...checks.map((check) => meetsOne(name, check))].join(' && ')

  const meetsOne = (name: string, check: PlainCheck): string => {
    switch (check.kind) {
      case 'length':
        return `${name}.length ${check.than} ${literal(check.value)}`
      case 'value':
        return `${name} ${check.than} ${literal(check.value)}`
      case 'integer':
        return `isSafeInteger(${name})`
      case 'pattern':
        return `${define('pattern', `/${check.source}/${check.flags}`)}.test(${name})`
      default:
        return check satisfies never
    }
  }

  const arrayCheck = ({ checks, items }: PlainArray): string => `(value) => {
  if (!(${meets('value', ['isArray(value)', `typeof value.toJSON !== 'function'`], checks)})) return false;
  for (let index = 0; index < value.length; index++) {
    const item = value[index];
    if (!(${fits(items, 'item')})) return false;
  }
  return true;
}`

  // A plain object of whatever realm: zod, which makes one of every other, reads what is inherited
  // and hidden, too. Each key is there for everybody to see, and no other, which zod would take away.
  const objectCheck = ({ properties }: PlainObject): string => {
    const required = properties.filter(({ isOptional }) => !isOptional)
    const checks = properties.map(({ name, isOptional, schema }) => {
      const check = `if (!(${fits(schema, 'property')})) return false;`
      const read = `property = value[${literal(name)}];`
      return isOptional
        ? `${read} if (property !== undefined) { ${check} keys++; } else if (${literal(name)} in value) return false;`
        : `${read} ${check}`
    })
    const names = properties.map(({ name }) => name)
    return `(value) => {
  if (typeof value !== 'object' || value === null || isArray(value)) return false;
  const prototype = getPrototypeOf(value);
  if (prototype !== objectPrototype && prototype !== null && getPrototypeOf(prototype) !== null) return false;
  if (typeof value.toJSON === 'function') return false;
  let keys = ${required.length};
  let property;
  ${checks.join('\n  ')}
  for (const key in value) {
    if (!${isOneOf('key', names)}) return false;
    keys--;
  }
  return keys === 0;
}`
  }

  const result = fits(schema, 'value')
  return `'use strict';
(() => {
const { isArray } = Array;
const { isFinite, isSafeInteger } = Number;
const { getPrototypeOf, prototype: objectPrototype } = Object;
${lines.join('\n')}
return (value) => ${result};
})()`
}

/** A code point is one or two UTF-16 units: a text that passes both ways passes whoever counts. */
function toTextCheck(check: PlainCheck): PlainCheck {
  const isLeast = check.kind === 'length' && check.than === '>=' && check.value > 1
  return isLeast ? { ...check, value: 2 * check.value } : check
}

function isOneOf(name: string, values: readonly PlainLiteral[]): string {
  return `(${values.map((value) => `${name} === ${literal(value)}`).join(' || ') || 'false'})`
}

/** As code; JSON of a string is a literal of it. */
function literal(value: PlainLiteral): string {
  return Object.is(value, -0) ? '-0' : JSON.stringify(value)
}
