import { flushCompileCache } from 'node:module'
import { setImmediate } from 'node:timers/promises'
import { describeArtifact } from '@needle-faas/runtime/container'
import type { EvaluationReply, EvaluationRequest } from './evaluation.ts'

// A process of its own: author code runs here, with an empty environment, and can take nothing down.

function describe({ name, script }: EvaluationRequest): EvaluationReply {
  try {
    return {
      status: 'described',
      description: describeArtifact(script, { functionName: name }),
    }
  } catch (error) {
    if (!(error instanceof Error)) throw error
    const code = 'code' in error && typeof error.code === 'string' ? error.code : 'TOOL_FAILED'
    return { status: 'refused', code, message: error.message, stack: stackOf(error.cause) }
  }
}

/** Errors of another realm fail `instanceof`. */
function stackOf(error: unknown): string | null {
  const has = typeof error === 'object' && error !== null && 'stack' in error
  return has && typeof error.stack === 'string' ? error.stack : null
}

process.on('message', (request: EvaluationRequest) => {
  const reply = describe(request)
  // lets what the function started in microtasks run out before its verdict, so that the blame falls right
  void setImmediate().then(() => process.send?.(reply))
})
// It will be killed, which keeps nothing.
flushCompileCache()
process.send?.('ready')
