import type { Clock } from '../clock.ts'
import type { Alarm } from './status.ts'

/** Apart, so that a small write that succeeds does not hide that something else is missing on disk. */
type Subject = 'access' | 'commit' | 'crashes'

/** Why the cache directory cannot be used now. The instance serves either way. */
export interface CacheFaults {
  /** The one with the worst consequence; null when all of it can be used. */
  readonly current: Alarm | null
  fail(about: Subject, message: string): void
  mend(about: Subject): void
}

export function createCacheFaults(options: {
  readonly clock: Clock
  /**
   * Told of the first, until all is well again: a full disk is one thing to know. Also told when
   * only crashes were forgotten until then, and now the next start needs the store.
   */
  readonly onFault: (fault: Alarm) => void
}): CacheFaults {
  const faults = new Map<Subject, Alarm>()
  const worst = (): Alarm | null =>
    faults.get('commit') ?? faults.get('access') ?? faults.get('crashes') ?? null

  return {
    get current() {
      return worst()
    },
    fail: (about, message) => {
      const before = worst()
      const isNews = before === null || (about !== 'crashes' && before === faults.get('crashes'))
      const since = before?.since ?? new Date(options.clock.now()).toISOString()
      const fault: Alarm = { code: 'CACHE_UNUSABLE', message, since }
      faults.set(about, fault)
      if (isNews) options.onFault(fault)
    },
    mend: (about) => {
      faults.delete(about)
    },
  }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
