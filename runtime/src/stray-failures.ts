import type { Clock } from './clock.ts'
import type { Attribution } from './function/attribution.ts'
import { inspectFailure } from './function/inspect-failure.ts'
import { createRateLimit, type RateLimit } from './function/rate-limit.ts'
import type { RuntimeEvent } from './sync/status.ts'

type StrayFailure = Extract<RuntimeEvent, { readonly type: 'strayFailure' }>

/** Of a revision. Rendering a failure takes its time, and a loop leaves thousands behind. */
const maxPerSecond = 100
/** Far more than ever fail within a second; revisions come and go, their limits must not stay. */
const maxLimits = 1000

/** Tells of a revision's first failures of every second, and then how many more there were. */
export function createStrayFailureReporter(options: {
  readonly clock: Clock
  readonly emit: (event: StrayFailure) => void
}): (charged: Attribution, error: unknown) => void {
  const { clock, emit } = options
  const limits = new Map<string, RateLimit>()

  const limitOf = (revision: string): RateLimit => {
    const known = limits.get(revision)
    if (known !== undefined) return known
    if (limits.size >= maxLimits) limits.clear()
    const limit = createRateLimit({
      maxPerSecond,
      clock,
      onHeldBack: (count) => {
        const message = `${count} more failures within a second`
        emit({ type: 'strayFailure', revision, requestId: null, message })
      },
    })
    limits.set(revision, limit)
    return limit
  }

  return ({ revision, requestId }, error) => {
    if (!limitOf(revision).admits()) return
    emit({ type: 'strayFailure', revision, requestId, message: inspectFailure(error) })
  }
}
