import { readFileSync } from 'node:fs'
import type { ServerUsage } from '../server-usage.ts'

/** A tick in `/proc`: Linux fixes USER_HZ at 100 for programs, whatever the kernel's own clock. */
const tickMs = 10

/** What another process has used, from Linux's `/proc`; null where there is none, and of the heap. */
export function foreignUsage(pid: number | undefined): ServerUsage {
  if (process.platform !== 'linux') return { cpuMs: null, rssBytes: null, heapBytes: null }
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
  // proc(5): fields are counted from 1; the second is in brackets and may hold spaces.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const field = (index: number): number => Number(fields[index - 3])
  const rssKb = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]
  return {
    cpuMs: (field(14) + field(15)) * tickMs,
    rssBytes: rssKb === undefined ? null : Number(rssKb) * 1024,
    heapBytes: null,
  }
}
