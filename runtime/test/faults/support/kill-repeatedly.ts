import { setTimeout as delay } from 'node:timers/promises'
import { median } from '../../../../scripts/bench/statistics.ts'
import type { Goal } from '../../../../scripts/goals.ts'
import { runawayLoops } from './runaway-loops.ts'
import { startFaultServer } from './start-fault-server.ts'

export interface KillReport {
  /** Executions the watchdog ended. */
  readonly kills: number
  /** Calls of the culprits that were answered 504. */
  readonly culpritsAnswered: number
  readonly bystanders: number
  /** Answers other than 200 to calls of other functions. */
  readonly bystandersFailed: number
  /** Longest time a bystander waited. None meets two kills: a round begins when the last one's waiters are answered. */
  readonly longestStallMs: number
  /** The same of the round in the middle, which the moods of a busy machine hardly change. */
  readonly medianStallMs: number
  /** Rounds after which another release of the culprit's function served. */
  readonly takenOver: number
}

/**
 * Runs one runaway function after another, each of another kind, while others are called all the time.
 *
 * @throws Error with what the process said last when it ended
 */
export async function killRepeatedly(
  rounds: number,
  options: { readonly limitMs: number; readonly concurrency?: number },
): Promise<KillReport> {
  const { limitMs, concurrency = 8 } = options
  const server = await startFaultServer({ limitMs })
  const loops = Object.values(runawayLoops)
  const over = new AbortController()
  let culpritsAnswered = 0
  let takenOver = 0
  let bystanders = 0
  let bystandersFailed = 0
  let stallMs = 0
  const stallsMs: number[] = []

  const waiting = new Set<Promise<void>>()
  const callBystander = async (name: string): Promise<void> => {
    const { status, durationMs } = await server.call(name)
    bystanders += 1
    if (status !== 200) bystandersFailed += 1
    stallMs = Math.max(stallMs, durationMs)
  }
  const callAlways = async (name: string): Promise<void> => {
    while (!over.signal.aborted) {
      const call = callBystander(name)
      waiting.add(call)
      await call
      waiting.delete(call)
    }
  }

  const kill = async (): Promise<KillReport> => {
    await server.publish({ name: 'culprit', handler: 'async () => ({ proven: true })' })
    const load = Array.from({ length: concurrency }, (_, at) =>
      callAlways(at % 2 === 0 ? 'plain' : 'waiting'),
    )
    for (let round = 0; round < rounds; round += 1) {
      const loop = loops[round % loops.length]
      await server.publish({ name: 'culprit', handler: `/* ${round} */ ${loop}`, role: 'stable' })
      const culprit = await server.call('culprit')
      if (culprit.status === 504 && culprit.code === 'FUNCTION_RUNAWAY') culpritsAnswered += 1
      if ((await server.call('culprit')).status === 200) takenOver += 1
      await Promise.all(waiting)
      stallsMs.push(stallMs)
      stallMs = 0
    }
    over.abort()
    await Promise.all(load)
    const { kills } = (await server.status()).watchdog
    return {
      kills,
      culpritsAnswered,
      bystanders,
      bystandersFailed,
      longestStallMs: Math.max(...stallsMs),
      medianStallMs: median(stallsMs),
      takenOver,
    }
  }
  try {
    return await kill()
  } catch (error) {
    // That a process has ended is known a little later than that it answers nobody.
    await Promise.race([server.ended, delay(1000)])
    throw error
  } finally {
    over.abort()
    await server.close()
  }
}

/** @param longestMs a bystander may wait */
export function judgeKills(report: KillReport, rounds: number, longestMs: number): Goal[] {
  const { culpritsAnswered, takenOver, bystandersFailed, longestStallMs } = report
  return [
    {
      what: `${culpritsAnswered} culprits answered`,
      goal: `all ${rounds}`,
      isMet: culpritsAnswered === rounds,
    },
    {
      what: `${takenOver} releases taken over from`,
      goal: `all ${rounds}`,
      isMet: takenOver === rounds,
    },
    {
      what: `${bystandersFailed} bystanders failed`,
      goal: 'none',
      isMet: bystandersFailed === 0,
    },
    {
      what: `longest wait of a bystander ${Math.round(longestStallMs)} ms`,
      goal: `at most ${longestMs} ms`,
      isMet: longestStallMs <= longestMs,
    },
  ]
}
