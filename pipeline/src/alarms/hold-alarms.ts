import type { CoveredHold, Hold } from '@needle-faas/runtime/manifest'
import type { EnvironmentState } from '../environment-state/environment-state.ts'
import { endsHold } from '../plan/ends-hold.ts'
import { toFunctionStates } from '../plan/function-states.ts'
import type { AlarmFinding } from './alarm-finding.ts'

/**
 * Functions that are kept against what Git says, and holds that somebody meant to look at again. A
 * hold below a stop is not over: it is told as long as it would come back.
 *
 * @param explained - Functions whose hold another alarm tells of.
 */
export function findHoldAlarms(
  state: EnvironmentState,
  now: number,
  explained: ReadonlySet<string | null>,
): readonly AlarmFinding[] {
  const held = [...toFunctionStates(state.groups)].flatMap(([name, { hold }]) =>
    holdsIn(name, hold),
  )
  return [
    ...held
      .filter(({ name, hold }) => hold.mode === 'stopped' || !explained.has(name))
      .map(describeHold),
    ...held
      .filter(({ hold }) => hold.until !== null && Date.parse(hold.until) <= now)
      .map(describeOverdue),
  ]
}

interface Held {
  /** Of the function. */
  readonly name: string
  readonly hold: CoveredHold
  /** What to do about it. */
  readonly end: string
}

function holdsIn(name: string, hold: Hold | null): readonly Held[] {
  if (hold === null) return []
  const command = endsHold(name, hold)
  if (hold.mode === 'revision') return [{ name, hold, end: `${command} ends it` }]
  const stop = { name, hold, end: `${command} lets it serve` }
  if (hold.covers === undefined) return [stop]
  const end = `${endsHold(name, hold.covers)} ends it, and the stop over it`
  return [stop, { name, hold: hold.covers, end }]
}

function describeHold({ name, hold, end }: Held): AlarmFinding {
  const { by, reason, since, mode, until } = hold
  const shared = { function: name, subject: since, since, details: { mode, by, reason, until } }
  return mode === 'stopped'
    ? {
        ...shared,
        code: 'FUNCTION_STOPPED',
        severity: 'critical',
        text: `stopped by ${by}, answers 503: ${reason}. ${end}`,
      }
    : {
        ...shared,
        code: 'FUNCTION_HELD',
        severity: 'info',
        text: `held by ${by} against what is merged: ${reason}. ${end}`,
      }
}

function describeOverdue({ name, hold, end }: Held): AlarmFinding {
  const { by, reason, since, until, mode } = hold
  return {
    code: 'HOLD_OVERDUE',
    severity: 'warning',
    function: name,
    subject: since,
    text: `${by} meant to look at it again on ${until}: ${reason}. ${end}`,
    since: until ?? since,
    details: { mode, by, reason, until },
  }
}
