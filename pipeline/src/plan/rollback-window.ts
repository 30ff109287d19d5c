import { defaultRollbackWindowMs, type FunctionState } from '@needle-faas/runtime/manifest'

/**
 * `rollbackUntil` of a function whose stable release has just been replaced: until when it goes back
 * by itself should it turn bad. Nothing when there is nothing to go back to, or no window.
 *
 * @param now epoch milliseconds
 * @param windowMs default 10 minutes
 */
export function rollbackWindow(
  previous: FunctionState['previous'],
  now: number,
  windowMs = defaultRollbackWindowMs,
): Pick<FunctionState, 'rollbackUntil'> {
  if (previous.length === 0 || windowMs === 0) return {}
  return { rollbackUntil: new Date(now + windowMs).toISOString() }
}

/** The state without a window: what serves now was chosen by a person, or has served before. */
export function withoutRollbackWindow(state: FunctionState): FunctionState {
  const { rollbackUntil: _closed, ...rest } = state
  return rest
}
