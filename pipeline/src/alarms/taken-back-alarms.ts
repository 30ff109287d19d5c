import {
  type FunctionState,
  findQuarantined,
  type ReleaseRef,
  shortDigest,
} from '@needle-faas/runtime/manifest'
import { readDecisions } from '../environment-state/decisions.ts'
import type { EnvironmentState, NewestManifest } from '../environment-state/environment-state.ts'
import type { HistoryState } from '../environment-state/history-states.ts'
import { holdBelowStop } from '../plan/below-stop.ts'
import { toFunctionStates } from '../plan/function-states.ts'
import { pairName } from '../plan/pair.ts'
import type { Alarm } from './alarm.ts'
import type { AlarmFinding } from './alarm-finding.ts'

export interface TakenBackQuestion {
  readonly state: EnvironmentState
  /** Oldest first. */
  readonly steps: readonly HistoryState[]
  readonly told: readonly Alarm[]
}

/**
 * Canaries that were aborted and releases that were rolled back, for as long as Git still says them:
 * until the hold that they left ends, which a stop over it does not end, or their quarantine is
 * cleared.
 */
export function findTakenBack({ state, steps, told }: TakenBackQuestion): readonly AlarmFinding[] {
  const found = new Map<string, AlarmFinding>()
  for (const alarm of told) {
    if (alarm.code !== 'ROLLOUT_ABORTED' && alarm.code !== 'ROLLED_BACK') continue
    const { code, severity, text, since, details, function: name } = alarm
    if (name === null) continue
    const subject = String(details['pair'])
    found.set(`${name} ${subject}`, {
      code,
      severity,
      text,
      since,
      function: name,
      subject,
      details,
    })
  }
  for (const [index, after] of steps.entries()) {
    const before = steps[index - 1]
    if (before?.state == null || after.state === null || after.manifest === null) continue
    for (const finding of findIn(before.state, after.state, after.manifest)) {
      found.set(`${finding.function} ${finding.subject}`, finding)
    }
  }
  const states = toFunctionStates(state.groups)
  return [...found.values()].filter(
    ({ function: name = '', subject }) =>
      holdBelowStop(states.get(name)?.hold ?? null) !== null &&
      state.quarantine.some((entry) => entry.function === name && pairName(entry) === subject),
  )
}

function findIn(
  before: EnvironmentState,
  after: EnvironmentState,
  signed: NewestManifest,
): readonly AlarmFinding[] {
  const old = toFunctionStates(before.groups)
  return [...toFunctionStates(after.groups)].flatMap(([name, now]) => {
    const was = old.get(name)
    if (was === undefined) return []
    const isNewlyBad = (ref: ReleaseRef): boolean =>
      findQuarantined(after.quarantine, name, ref) !== undefined &&
      findQuarantined(before.quarantine, name, ref) === undefined
    const gone = leaversOf(was, now).filter(({ ref }) => isNewlyBad(ref))
    return gone.map(({ code, ref }) => describe(name, { code, ref, stable: now.stable, signed }))
  })
}

type TakenBackCode = 'ROLLOUT_ABORTED' | 'ROLLED_BACK'

function leaversOf(
  was: FunctionState,
  now: FunctionState,
): readonly { readonly code: TakenBackCode; readonly ref: ReleaseRef }[] {
  const canary = was.rollout?.canary
  return [
    ...(canary !== undefined && canary.release !== now.rollout?.canary.release
      ? [{ code: 'ROLLOUT_ABORTED' as const, ref: canary }]
      : []),
    ...(was.stable.release === now.stable.release
      ? []
      : [{ code: 'ROLLED_BACK' as const, ref: was.stable }]),
  ]
}

function describe(
  name: string,
  what: {
    readonly code: TakenBackCode
    readonly ref: ReleaseRef
    readonly stable: ReleaseRef
    readonly signed: NewestManifest
  },
): AlarmFinding {
  const { code, ref, stable, signed } = what
  const { actor, reason, version, issuedAt } = signed.manifest
  const decision = readDecisions(signed).find((each) => each.function === name) ?? null
  const did = code === 'ROLLOUT_ABORTED' ? 'aborted the canary' : 'rolled back'
  // The reason of a controller's manifest names all that it decided at once; this says it of this one.
  const why = decision?.text ?? reason
  return {
    code,
    severity: 'warning',
    function: name,
    subject: pairName(ref),
    text: `${actor} ${did} ${shortDigest(ref.release)}, ${shortDigest(stable.release)} serves: ${why}. Merge the revert or a fix; needle trace ${name}@${shortDigest(ref.release)} tells more`,
    since: issuedAt,
    details: { pair: pairName(ref), release: ref.release, version, actor, reason, decision },
  }
}
