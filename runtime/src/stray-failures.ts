import type { Clock } from './clock.ts'
import type { Attribution } from './function/attribution.ts'
import { currentTraceId } from './function/call-span.ts'
import { describeStray } from './function/loaded-positions.ts'
import { outsideAnyCall } from './function/outside-any-call.ts'
import { createRevisionLimits } from './function/revision-limits.ts'
import type { RuntimeEvent } from './sync/status.ts'

type StrayFailure = Extract<RuntimeEvent, { readonly type: 'strayFailure' }>

/** Of a revision. Rendering a failure takes its time, and a loop leaves thousands behind. */
const maxPerSecond = 100

/**
 * Tells of a revision's first failures of every second, and then how many more there were. The first
 * of a revision waits for its source map.
 */
export function createStrayFailureReporter(options: {
  readonly clock: Clock
  readonly emit: (event: StrayFailure) => void
}): (charged: Attribution, error: unknown) => void {
  const { clock, emit } = options
  const limits = createRevisionLimits({
    maxPerSecond,
    clock,
    onHeldBack: (revision, count) => {
      const message = `${count} more failures within a second`
      emit({ type: 'strayFailure', revision, requestId: null, message })
    },
  })

  return ({ revision, requestId }, error) => {
    if (!limits.admits(revision)) return
    // Here, where what a getter of it does is still charged to the function.
    const described = describeStray(revision, error)
    const traceId = currentTraceId()
    const traced = traceId !== undefined && { traceId }
    const tell = (message: string): void =>
      emit({ type: 'strayFailure', revision, requestId, ...traced, message })
    void outsideAnyCall(() => described.then(tell))
  }
}
