import type { CoveredHold, Hold } from '@needle-faas/runtime/manifest'

/** The hold that there is once nobody stops the function: of a stop, the one it was put over. */
export function holdBelowStop(hold: Hold | null): CoveredHold | null {
  return hold?.mode === 'stopped' ? (hold.covers ?? null) : hold
}

/**
 * Another hold in the place of the one there is. Where that is a stop, it stays on top: whatever is
 * ordered meanwhile, only `resume` and `clear` let a stopped function serve.
 */
export function putBelowStop(current: Hold | null, hold: CoveredHold | null): Hold | null {
  if (current?.mode !== 'stopped') return hold
  const { covers: _covers, ...stop } = current
  return hold === null ? stop : { ...stop, covers: hold }
}
