import { defaultRollbackWindowMs, type FunctionState } from '@needle-faas/runtime/manifest'

type Window = Pick<FunctionState, 'rollbackUntil' | 'rollbackSinceVersion'>

/**
 * The window of a function whose stable release has just been replaced: until when it goes back by
 * itself should it turn bad. Nothing when there is nothing to go back to, or no window.
 */
export function rollbackWindow({
  previous,
  now,
  version,
  windowMs = defaultRollbackWindowMs,
}: {
  readonly previous: FunctionState['previous']
  /** Epoch milliseconds. */
  readonly now: number
  /** Of the manifest that replaces it. */
  readonly version: number
  /** Default 10 minutes. */
  readonly windowMs?: number | undefined
}): Window {
  if (previous.length === 0 || windowMs === 0) return {}
  return {
    rollbackUntil: new Date(now + windowMs).toISOString(),
    rollbackSinceVersion: version,
  }
}

/** The state without a window: what serves now was chosen by a person, or has served before. */
export function withoutRollbackWindow(state: FunctionState): FunctionState {
  const { rollbackUntil: _until, rollbackSinceVersion: _since, ...rest } = state
  return rest
}
