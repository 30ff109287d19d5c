import { isNativeError } from 'node:util/types'
import { inspectFailure } from './inspect-failure.ts'
import { bringsCode, charactersOf } from './is-small.ts'

/** Of one line, message and fields together: beyond it they are cut. */
export const maxLineCharacters = 16_384

export type Fields = Record<string, unknown>

export interface Line {
  readonly message: string
  readonly fields: Fields | undefined
  /** About as many as are written of it. */
  readonly characters: number
}

/**
 * A line no longer than `maxLineCharacters`. One that is keeps its first characters, and says how many
 * more there were. Fields are kept in their order as long as they fit; the first that does not is cut
 * as text, and those behind it are left out by name. Getters and `toJSON` run here, once, in the turn
 * of the function: what they give is cut as anything else. Errors become text, stack and causes
 * included: as JSON they would be empty.
 */
export function cutLine(given: unknown, givenFields: Fields | undefined): Line {
  const fields = isNativeError(givenFields) ? { error: givenFields } : givenFields
  const message = typeof given === 'string' ? given : inspectFailure(given)
  const ofFields = fields === undefined ? 0 : charactersOf(fields, maxLineCharacters)
  const characters = message.length + ofFields
  if (characters <= maxLineCharacters) return { message, fields, characters }
  let left = maxLineCharacters
  const cut = (given: unknown): unknown => {
    const value = toPlain(given)
    const size = charactersOf(value, left)
    const kept = size <= left ? value : cutText(toText(value), left)
    left -= Math.min(size, left)
    return kept
  }
  const keptMessage = String(cut(message))
  const kept: Fields = {}
  const omitted: string[] = []
  for (const [name, value] of entriesOf(fields ?? {})) {
    if (left > name.length) {
      left -= name.length
      kept[name] = cut(value)
    } else if (omitted.push(name) === maxOmitted) break
  }
  if (omitted.length > 0) kept['omitted'] = omitted.map((name) => cutText(name, maxNameCharacters))
  return { message: keptMessage, fields: kept, characters: maxLineCharacters - left }
}

const maxOmitted = 20
const maxNameCharacters = 100

function entriesOf(fields: Fields): [string, unknown][] {
  try {
    return Object.entries(fields)
  } catch (error) {
    return [['unreadable', inspectFailure(error)]]
  }
}

/** Without the code it brings, which would run wherever the host writes it. */
function toPlain(value: unknown): unknown {
  if (typeof value !== 'function' && !bringsCode(value, maxLineCharacters)) return value
  if (isNativeError(value)) return inspectFailure(value)
  try {
    const text: unknown = JSON.stringify(value, (_, part: unknown) =>
      isNativeError(part) ? inspectFailure(part) : part,
    )
    if (typeof text !== 'string') return inspectFailure(value)
    return text.length > maxLineCharacters ? text : JSON.parse(text)
  } catch {
    return inspectFailure(value)
  }
}

function toText(value: unknown): string {
  return typeof value === 'string' ? value : inspectFailure(value)
}

function cutText(text: string, length: number): string {
  if (text.length <= length) return text
  return `${text.slice(0, length)}… ${text.length - length} characters more`
}
