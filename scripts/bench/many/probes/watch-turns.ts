import type { TurnSpan } from '../event-loop-turns.ts'

/** Shorter ones are the probe itself. */
const leastMs = 1

/** Keeps the event loop turning and notes each turn that took over a millisecond. */
export function watchTurns(): { stop(): TurnSpan[] } {
  const turns: TurnSpan[] = []
  let from = performance.now()
  let cpuFromMs = threadCpuMs()
  let immediate = setImmediate(turn)

  function turn(): void {
    const to = performance.now()
    const cpuToMs = threadCpuMs()
    if (to - from > leastMs) turns.push({ from, to, cpuMs: cpuToMs - cpuFromMs })
    from = to
    cpuFromMs = cpuToMs
    immediate = setImmediate(turn)
  }
  return {
    stop: () => {
      clearImmediate(immediate)
      return turns
    },
  }
}

/**
 * Linux brings a thread's figure up to date at its clock tick only, each 4 ms at 250 Hz, but for who
 * asks for that of the whole process (`thread_group_cputime` in its kernel/sched/cputime.c).
 */
function threadCpuMs(): number {
  process.cpuUsage()
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}
