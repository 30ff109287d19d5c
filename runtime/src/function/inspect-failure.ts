import { inspect } from 'node:util'

/**
 * Message, stack and causes of whatever a function threw. Never throws, unlike `String`: what is
 * thrown may have no text at all, or a `toString` that throws itself.
 */
export function inspectFailure(thrown: unknown): string {
  try {
    // `customInspect` would run the author's code.
    return inspect(thrown, { customInspect: false, depth: 4, maxStringLength: 10_000 })
  } catch {
    // A getter of it, such as that of `stack`.
    return `A thrown ${typeof thrown} that throws when it is looked at`
  }
}
