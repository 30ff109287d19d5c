import { randomUUID } from 'node:crypto'
import type { Clock } from './clock.ts'
import { wasTurnedAway } from './fallback-call.ts'
import type { Call, Outcome } from './function/call.ts'
import { toExampleCall } from './function/example-call.ts'
import { outsideAnyCall } from './function/outside-any-call.ts'
import { callsOf } from './manifest/instance-report.ts'
import type { Probe } from './manifest/probe.ts'
import { chooseProbe } from './rollout/choose-probe.ts'
import { hasSameRoute, type LazyRevision } from './sync/lazy-revision.ts'
import { pollDelayMs } from './sync/poll-delay.ts'
import type { Rollouts } from './sync/rollouts.ts'
import type { ServingCell } from './sync/serving.ts'
import { type DividedSlot, isDivided } from './sync/slot.ts'
import type { ProbeResult, ProbeStatus } from './sync/status.ts'

/** Marks a call that no user made; anybody can send it, so it is no proof. */
const probeHeader = 'x-needle-probe'

/** Calls canaries that users call too little, so that a quiet function can be judged too. */
export interface CanaryProbes {
  start(): void
  /** What came of the last probe of a function; null before the first. */
  lastOf(functionName: string): ProbeStatus | null
  /** Ends a probe that is under way. Idempotent. */
  close(): Promise<void>
}

export interface CanaryProbesOptions {
  readonly serving: ServingCell
  readonly rollouts: Rollouts
  readonly clock: Clock
  /** Uniform in [0, 1). */
  readonly random: () => number
  /** Between two probes, ± 25 %. */
  readonly intervalMs: number
  /** Whether this instance has no time for calls that nobody made. */
  readonly isOverloaded: () => boolean
  /** A probe could not be made, as of text that fits into no URL. */
  readonly onFailure: (functionName: string, error: unknown) => void
}

/**
 * One example call at a time, to the canary and then to stable, so that the breaker compares like
 * with like.
 */
export function createCanaryProbes(options: CanaryProbesOptions): CanaryProbes {
  const { serving, rollouts, clock } = options
  const closing = new AbortController()
  const rounds = new Map<string, number>()
  const last = new Map<string, ProbeStatus>()
  let running: Promise<void> = Promise.resolve()

  /** As many as a step needs are enough for each: a fleet must not be called without end. */
  const callsOfStep = ({ function: name, canary }: DividedSlot): number => {
    const { ref, salt, weightPercent } = canary
    const rollout = rollouts.reportOf(name, { canary: ref, salt })
    // No call was made in it yet.
    if (rollout?.step?.weightPercent !== weightPercent) return 0
    return callsOf(rollout.measured.canary) - rollout.step.callsBefore
  }

  const ask = async (
    revision: LazyRevision,
    probe: Probe,
  ): Promise<{ readonly outcome: Outcome; readonly result: ProbeResult }> => {
    const outcome = await revision.invoke(toCall(probe, revision, closing.signal))
    const { status, errorCode, body } = outcome
    if (body instanceof ReadableStream) await body.cancel().catch(() => undefined)
    const isGood =
      probe.expectStatus === undefined ? !outcome.functionFault : status === probe.expectStatus
    return { outcome, result: { revision: revision.id, status, errorCode, isGood } }
  }

  const probeOnce = async (): Promise<void> => {
    const slots = [...serving.current.slots.values()].filter(isDivided).filter(isProbeable)
    const choice = chooseProbe(
      slots.map((slot) => ({
        function: slot.function,
        probes: probesOf(slot).length,
        calls: callsOfStep(slot),
        minimumCalls: slot.canary.analysis.minimumCalls,
      })),
      rounds,
    )
    const slot = slots.find((each) => each.function === choice?.function)
    if (choice === null || slot === undefined) return
    const { function: name } = slot
    const probe = probesOf(slot)[choice.probe]
    if (probe === undefined) return
    rounds.set(name, (rounds.get(name) ?? 0) + 1)

    try {
      await compare(slot, probe, choice.probe)
    } catch (error) {
      options.onFailure(name, error)
    }
  }

  const compare = async (slot: DividedSlot, probe: Probe, index: number): Promise<void> => {
    const { function: name, stable, canary } = slot
    const ofCanary = await ask(canary.revision, probe)
    const isStill = serving.current.slots.get(name) === slot
    if (closing.signal.aborted || !isStill || !stable.revision.isReady) return
    const ofStable = await ask(stable.revision, probe)
    if (closing.signal.aborted) return
    last.set(name, {
      at: new Date(clock.now()).toISOString(),
      probe: index,
      canary: ofCanary.result,
      stable: ofStable.result,
    })
    if (wasTurnedAway(ofCanary.outcome) || wasTurnedAway(ofStable.outcome)) return
    for (const [side, { result }] of [
      ['stable', ofStable] as const,
      ['canary', ofCanary] as const,
    ]) {
      rollouts.of(name, canary).record({
        side,
        isFault: !result.isGood,
        durationMs: null,
        isProbe: true,
      })
    }
  }

  /** Forgets what does not serve any more. */
  const forget = (): void => {
    const { slots } = serving.current
    for (const known of [rounds, last]) {
      for (const name of known.keys()) if (!slots.has(name)) known.delete(name)
    }
  }

  const run = async (): Promise<void> => {
    while (!closing.signal.aborted) {
      await clock.sleep(pollDelayMs(options.intervalMs, options.random()), closing.signal)
      forget()
      if (!closing.signal.aborted && !options.isOverloaded()) await probeOnce()
    }
  }

  return {
    start: () => {
      running = outsideAnyCall(run)
    },
    lastOf: (name) => last.get(name) ?? null,
    close: async () => {
      closing.abort()
      await running
    },
  }
}

/** The canary's own: it knows what it is to be called with. */
function probesOf({ canary }: DividedSlot): readonly Probe[] {
  return canary.revision.release.settings.probes ?? []
}

/** Both must take the same call, which must do no harm. */
function isProbeable(slot: DividedSlot): boolean {
  const { stable, canary } = slot
  if (probesOf(slot).length === 0) return false
  const revisions = [stable.revision, canary.revision]
  const isSafe = revisions.every(({ isReady, release }) => isReady && release.settings.idempotent)
  return isSafe && hasSameRoute(stable.revision, canary.revision)
}

function toCall(probe: Probe, { release }: LazyRevision, signal: AbortSignal): Call {
  const call = toExampleCall(probe, release.settings.http)
  return {
    ...call,
    headers: { ...call.headers, [probeHeader]: '1' },
    requestId: `probe-${randomUUID()}`,
    caller: Object.freeze({}),
    signal,
  }
}
