import { inspect } from 'node:util'
import { isNativeError } from 'node:util/types'
import { isSmall } from './is-small.ts'

/**
 * Message, stack and causes of whatever a function threw. Never throws, unlike `String`: what is
 * thrown may have no text at all, or a `toString` that throws itself. What holds too much is cut down
 * to its stack: to render an answer of megabytes, as clients attach to their errors, would hold up
 * everybody.
 */
export function inspectFailure(thrown: unknown): string {
  try {
    // `customInspect` would run the author's code.
    if (isSmall(thrown)) return inspect(thrown, { customInspect: false, depth: 4, maxStringLength })
    return inspectLarge(thrown)
  } catch {
    // A getter of it, such as that of `stack`.
    return `A thrown ${typeof thrown} that throws when it is looked at`
  }
}

const maxLength = 10_000
const maxStringLength = maxLength

function inspectLarge(thrown: unknown): string {
  const what = `A thrown ${typeof thrown}, too large for a log`
  const text = isNativeError(thrown) ? thrown.stack : thrown
  if (typeof text !== 'string') return what
  return text.length <= maxLength ? `${text}\n${what}` : `${cut(text)}\n${what}`
}

/** The message is at one end of a stack, and the frames are at the other. */
function cut(text: string): string {
  const half = maxLength / 2
  return `${text.slice(0, half)}… ${text.length - maxLength} characters more …${text.slice(-half)}`
}
