import type { FaultServer } from './start-fault-server.ts'

export interface Bystanders {
  readonly calls: number
  /** Not answered 200, or not within the patience of `FaultServer.call`. */
  readonly failed: number
  readonly lastedMs: number
  /** The longest that one waited. */
  readonly longestMs: number
}

/** Calls other functions again and again until `fault` is over, and once more after it. */
export async function withBystanders(
  server: FaultServer,
  fault: () => Promise<void>,
): Promise<Bystanders> {
  let calls = 0
  let failed = 0
  let longestMs = 0
  const begunAt = performance.now()
  let isOver = false
  const keepCalling = async (name: string): Promise<void> => {
    for (let isLast = false; !isLast;) {
      isLast = isOver
      const { status, durationMs } = await server.call(name)
      calls += 1
      longestMs = Math.max(longestMs, durationMs)
      if (status !== 200) failed += 1
    }
  }
  const bystanders = ['plain', 'plain', 'waiting', 'waiting'].map(keepCalling)
  try {
    await fault()
  } finally {
    isOver = true
    await Promise.all(bystanders)
  }
  return { calls, failed, lastedMs: performance.now() - begunAt, longestMs }
}
