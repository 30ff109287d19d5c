import { data, Evaluator, Lexer, Parser } from '@actions/expressions'
import type { FunctionDefinition } from '@actions/expressions/funcs/info'
import type { TemplateToken } from '@actions/workflow-parser/templates/tokens/template-token'
import { isBasicExpression, isMapping } from '../../../../scripts/workflows/github-parser.ts'
import { scalarText } from '../../../../scripts/workflows/scalar-text.ts'

/** What `github`, `env`, `secrets`… stand for where an expression is evaluated. A name that is not here cannot be used there. */
export type Contexts = Readonly<Record<string, unknown>>

/** The state behind `success()`, `failure()`, `cancelled()` and `always()`. */
export type Status = 'success' | 'failure' | 'skipped'

export interface Scope {
  readonly contexts: Contexts
  readonly status?: Status
}

/**
 * The text a value of the workflow file has in `scope`, evaluated by GitHub's own evaluator; a
 * value without expression is its own text, null is empty.
 */
export function textOf(token: TemplateToken, scope: Scope): string {
  if (isBasicExpression(token)) return evaluate(token.expression, scope).coerceString()
  return scalarText(token) ?? fail(token)
}

/** Whether an `if:` holds. The parser has already put `success() && …` where no status function is asked. */
export function holds(token: TemplateToken, scope: Scope): boolean {
  if (!isBasicExpression(token)) return scalarText(token) === 'true'
  // GitHub's rule for truth is not part of the evaluator's interface, but its `!` is.
  return evaluate(`!(${token.expression})`, scope).coerceString() === 'false'
}

/** The evaluated entries of a mapping (`env:`, `with:`, `outputs:`); empty without one. */
export function entriesOf(token: TemplateToken | undefined, scope: Scope): Record<string, string> {
  if (token === undefined) return {}
  if (!isMapping(token)) return fail(token)
  return Object.fromEntries(
    [...token].map(({ key, value }) => [key.toString(), textOf(value, scope)]),
  )
}

function fail(token: TemplateToken): never {
  throw new Error(`line ${token.line}: a value of this form is not played here`)
}

function evaluate(expression: string, { contexts, status }: Scope): data.ExpressionData {
  const functions = status === undefined ? [] : statusFunctions(status)
  const parser = new Parser(new Lexer(expression).lex().tokens, Object.keys(contexts), functions)
  const evaluator = new Evaluator(
    parser.parse(),
    toDictionary(contexts),
    new Map(functions.map((definition) => [definition.name, definition])),
  )
  return evaluator.evaluate()
}

function statusFunctions(status: Status): FunctionDefinition[] {
  return [
    constant('success', status === 'success'),
    constant('failure', status === 'failure'),
    constant('cancelled', false),
    constant('always', true),
  ]
}

function constant(name: string, value: boolean): FunctionDefinition {
  return { name, minArgs: 0, maxArgs: 0, call: () => new data.BooleanData(value) }
}

function toDictionary(contexts: Contexts): data.Dictionary {
  const dictionary: unknown = JSON.parse(JSON.stringify(contexts), data.reviver)
  if (!(dictionary instanceof data.Dictionary)) throw new Error('contexts are an object of objects')
  return dictionary
}
