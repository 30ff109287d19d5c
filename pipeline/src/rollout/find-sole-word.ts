import { callsOf, type Rollout } from '@needle-faas/runtime/manifest'
import { type Doubt, findDoubt } from './find-doubt.ts'
import type { Pool } from './pool-reports.ts'
import { type Testimony, testimonyWithout } from './testimony.ts'

/** That a canary would go on by the word of one instance: without it the others leave a doubt. */
export interface SoleWord {
  /** That instance. Of several that it may be, the one with the most calls. */
  readonly instance: string
  /** All that it may be, as when a majority hangs by one. */
  readonly instances: readonly string[]
  /** What is doubted without `instance`. */
  readonly doubt: Doubt
}

/**
 * Whether what lets a canary go on holds without any one of the live instances too, whichever it is: so
 * one that was invented, lies or counts wrongly can hold a canary but never move it. Null when it does,
 * and for a fleet of one, whose word is all there is.
 *
 * @param all - In which nothing is doubted
 */
export function findSoleWord(
  { witnesses }: Pool,
  all: Testimony,
  rollout: Rollout,
): SoleWord | null {
  if (witnesses.length < 2) return null
  const instances: string[] = []
  let found: Pick<SoleWord, 'instance' | 'doubt'> | null = null
  let most = -1
  for (const witness of witnesses) {
    const doubt = findDoubt(testimonyWithout(all, witness, rollout), rollout)
    if (doubt === null) continue
    const { instance, rollout: own } = witness
    instances.push(instance)
    const calls = own === null ? 0 : callsOf(own.measured.canary)
    if (calls <= most) continue
    most = calls
    found = { instance, doubt }
  }
  return found && { ...found, instances }
}
