import type { Hold } from '@needle-faas/runtime/manifest'
import type { EnvironmentState } from '../environment-state/environment-state.ts'
import { toFunctionStates } from '../plan/function-states.ts'
import type { AlarmFinding } from './alarm-finding.ts'

/**
 * Functions that are kept against what Git says, and holds that somebody meant to look at again.
 *
 * @param explained - Functions whose hold another alarm tells of.
 */
export function findHoldAlarms(
  state: EnvironmentState,
  now: number,
  explained: ReadonlySet<string | null>,
): readonly AlarmFinding[] {
  const held = [...toFunctionStates(state.groups)].flatMap(([name, { hold }]) =>
    hold === null ? [] : [{ name, hold }],
  )
  return [
    ...held
      .filter(({ name, hold }) => hold.mode === 'stopped' || !explained.has(name))
      .map(({ name, hold }) => describeHold(name, hold)),
    ...held
      .filter(({ hold }) => hold.until !== null && Date.parse(hold.until) <= now)
      .map(({ name, hold }) => describeOverdue(name, hold)),
  ]
}

function describeHold(name: string, hold: Hold): AlarmFinding {
  const { by, reason, since, mode, until } = hold
  const shared = { function: name, subject: since, since, details: { mode, by, reason, until } }
  return mode === 'stopped'
    ? {
        ...shared,
        code: 'FUNCTION_STOPPED',
        severity: 'critical',
        text: `stopped by ${by}, answers 503: ${reason}. ${commandToEnd(name, hold)} lets it serve`,
      }
    : {
        ...shared,
        code: 'FUNCTION_HELD',
        severity: 'info',
        text: `held by ${by} against what is merged: ${reason}. ${commandToEnd(name, hold)} ends it`,
      }
}

function describeOverdue(name: string, hold: Hold): AlarmFinding {
  const { by, reason, since, until, mode } = hold
  return {
    code: 'HOLD_OVERDUE',
    severity: 'warning',
    function: name,
    subject: since,
    text: `${by} meant to look at it again on ${until}: ${reason}. ${commandToEnd(name, hold)} ends it`,
    since: until ?? since,
    details: { mode, by, reason, until },
  }
}

function commandToEnd(name: string, { mode }: Hold): string {
  const command = mode === 'stopped' ? `needle resume ${name}` : `needle clear ${name} --hold`
  return `${command} --reason "…"`
}
