import type { Clock } from '../clock.ts'
import { isRuntimeError, RuntimeError } from '../errors.ts'
import { isExpired } from '../manifest/acceptance.ts'
import type { Manifest } from '../manifest/manifest.ts'
import type { DesiredState } from './desired-state.ts'
import type { HoldBack } from './lasting-activation.ts'
import type { Alarm, RuntimeEvent } from './status.ts'

/** What stands between this instance and the newest state; each is told once, until it changes. */
export interface SyncAlarms {
  /** Why the last poll failed or its manifest was refused. */
  readonly refusal: Alarm | null
  /** Why the last known good state on disk was not used. */
  readonly bootFault: Alarm | null
  /** The manifest has expired: nothing changes until a newer one arrives. */
  readonly isFrozen: boolean
  /** Why it is frozen, where `refusal` does not say so. */
  readonly expiry: Alarm | null
  /** Of each subscribed group the manifest does not know. */
  readonly missingGroups: readonly Alarm[]
  /** The wanted manifest is not activated yet, as that ended the process. */
  readonly holdBack: Alarm | null
  refused(error: unknown): void
  accepted(): void
  bootFailed(error: unknown): void
  /** The disk holds a state to boot from again. */
  bootMended(): void
  /** To be called whenever time has passed or another manifest came. */
  checkExpiry(current: DesiredState | null): void
  /** To be called for what has been activated. */
  checkGroups(active: DesiredState): void
  /** To be called for what is to be activated, before it is. */
  checkHoldBack(wanted: DesiredState, heldBack: HoldBack | null): void
}

export function createSyncAlarms(options: {
  readonly clock: Clock
  readonly onEvent: (event: RuntimeEvent) => void
}): SyncAlarms {
  const { clock, onEvent } = options
  let refusal: Alarm | null = null
  let bootFault: Alarm | null = null
  let expiry: Alarm | null = null
  let missingGroups: ReadonlyMap<string, Alarm> = new Map()
  let holdBack: Alarm | null = null
  const now = (): string => new Date(clock.now()).toISOString()

  return {
    get refusal() {
      return refusal
    },
    get bootFault() {
      return bootFault
    },
    get isFrozen() {
      return expiry !== null
    },
    get expiry() {
      return refusal?.code === 'MANIFEST_EXPIRED' ? null : expiry
    },
    get missingGroups() {
      return [...missingGroups.values()]
    },
    get holdBack() {
      return holdBack
    },
    refused: (error) => {
      const { code, message } = toRuntimeError(error)
      if (refusal?.code === code && refusal.message === message) return
      refusal = { code, message, since: refusal?.code === code ? refusal.since : now() }
      onEvent({ type: 'refused', code, message })
      if (code === 'MANIFEST_FORKED') onEvent({ type: 'forked', message })
    },
    accepted: () => {
      refusal = null
    },
    bootFailed: (error) => {
      const { code, message } = toRuntimeError(error)
      bootFault = { code, message: `The cache was not used: ${message}`, since: now() }
      onEvent({ type: 'refused', code, message: bootFault.message })
    },
    bootMended: () => {
      bootFault = null
    },
    checkExpiry: (current) => {
      const before = expiry
      const hasExpired = current !== null && isExpired(current.manifest, clock.now())
      const isRefused = refusal?.code === 'MANIFEST_EXPIRED'
      if (!hasExpired && !isRefused) {
        expiry = null
        if (before !== null && current !== null) {
          onEvent({ type: 'unfrozen', version: current.manifest.version })
        }
        return
      }
      const message = isRefused && refusal !== null ? refusal.message : expiredMessage(current)
      expiry = { code: 'MANIFEST_EXPIRED', message, since: before?.since ?? now() }
      if (before === null) onEvent({ type: 'frozen', message })
    },
    checkGroups: ({ manifest, missingGroups: names }) => {
      const before = missingGroups
      missingGroups = new Map(
        names.map((group) => [group, before.get(group) ?? groupMissing(group, manifest, now())]),
      )
      for (const [group, alarm] of missingGroups) {
        if (!before.has(group)) onEvent({ type: 'groupMissing', group, message: alarm.message })
      }
    },
    checkHoldBack: ({ manifest: { version } }, heldBack) => {
      const message = heldBack && unfinishedMessage(version, heldBack)
      if (message === (holdBack?.message ?? null)) return
      holdBack = message === null ? null : { code: 'ACTIVATION_UNFINISHED', message, since: now() }
      if (message !== null) onEvent({ type: 'heldBack', version, message })
    },
  }
}

/** Whatever goes wrong without a code of its own went wrong on the way to the store. */
export function toRuntimeError(error: unknown): RuntimeError {
  if (isRuntimeError(error)) return error
  return new RuntimeError(
    'STORE_UNAVAILABLE',
    error instanceof Error ? error.message : String(error),
    { cause: error },
  )
}

function groupMissing(group: string, { environment, groups }: Manifest, since: string): Alarm {
  const known = Object.keys(groups)
    .toSorted()
    .map((name) => `"${name}"`)
  const names = known.length === 0 ? 'none' : known.join(', ')
  return {
    code: 'GROUP_MISSING',
    message: `The manifest of ${environment} does not know the group "${group}"; it knows ${names}. Correct the "groups" option, or publish a function of the group.`,
    since,
  }
}

function unfinishedMessage(version: number, { attempts, until }: HoldBack): string {
  const times = attempts === 1 ? 'once' : `${attempts} times in a row`
  const again = new Date(until).toISOString()
  return `The process ended ${times} while it activated version ${version}: what was activated before goes on, and it is tried again at ${again}. Look at how the process ended; publish a fix, or roll back, if a function of that version did it.`
}

function expiredMessage(state: DesiredState | null): string {
  return `The manifest expired at ${state?.manifest.expiresAt}; nothing changes until a newer one is published. Run "needle refresh".`
}
