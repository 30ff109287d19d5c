import { type Context, type RunningScriptOptions, Script } from 'node:vm'
import type { Span } from '../event-loop-turns.ts'

/**
 * Notes when the top level of functions ran. Only those are evaluated under a time limit; compiling
 * them, making their context and reading their definition is the runtime's own doing.
 */
export function watchTopLevels(): { readonly count: number; take(): Span[] } {
  const spans: Span[] = []
  let count = 0
  // oxlint-disable-next-line typescript/unbound-method -- called with its own `this` below
  const { runInContext } = Script.prototype
  Script.prototype.runInContext = function run(
    this: Script,
    context: Context,
    options?: RunningScriptOptions,
  ): unknown {
    if (options?.timeout === undefined) return runInContext.call(this, context, options)
    count += 1
    const from = performance.now()
    try {
      return runInContext.call(this, context, options)
    } finally {
      spans.push({ from, to: performance.now() })
    }
  }
  return {
    get count() {
      return count
    },
    take: () => spans.splice(0),
  }
}
