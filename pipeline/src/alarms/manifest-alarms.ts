import { isExpired } from '@needle-faas/runtime/manifest'
import type { EnvironmentState } from '../environment-state/environment-state.ts'
import type { PointerStatus } from '../environment-state/read-environment.ts'
import type { AlarmFinding } from './alarm-finding.ts'

/** How long before its expiry a manifest raises an alarm. */
const expiryWarningMs = 7 * 24 * 60 * 60 * 1000

/** A publisher between its last two writes, and instances before their next poll, get this long. */
export const graceMs = 60 * 1000

/** Whether the newest manifest can be followed, and for how long. */
export function findManifestAlarms(
  { newest, environment }: EnvironmentState,
  pointer: PointerStatus,
  now: number,
): readonly AlarmFinding[] {
  if (newest === null) return []
  const { manifest } = newest
  const expires = Date.parse(manifest.expiresAt)
  const refresh = `needle refresh --environment ${environment} --reason "…"`
  const details = { version: manifest.version, expiresAt: manifest.expiresAt }
  const expiry: AlarmFinding[] = isExpired(manifest, now)
    ? [
        {
          code: 'MANIFEST_EXPIRED',
          severity: 'critical',
          text: `version ${manifest.version} expired: instances take no change until a newer one is signed. ${refresh}`,
          since: manifest.expiresAt,
          details,
        },
      ]
    : expires - now < expiryWarningMs
      ? [
          {
            code: 'MANIFEST_EXPIRES_SOON',
            severity: 'warning',
            text: `version ${manifest.version} expires on ${manifest.expiresAt}. ${refresh}`,
            since: new Date(expires - expiryWarningMs).toISOString(),
            details,
          },
        ]
      : []
  return [...expiry, ...findPointerAlarm(newest.manifest, pointer, now)]
}

function findPointerAlarm(
  manifest: { readonly version: number; readonly issuedAt: string },
  { status, fault }: PointerStatus,
  now: number,
): readonly AlarmFinding[] {
  const issued = Date.parse(manifest.issuedAt)
  if (status === 'current' || fault === null || now - issued <= graceMs) return []
  const since = manifest.issuedAt
  const details = { code: fault.code, version: manifest.version }
  if (fault.code === 'MANIFEST_FORKED') {
    return [{ code: 'FORKED', severity: 'critical', text: fault.message, since, details }]
  }
  return [
    {
      code: 'MANIFEST_UNSEEN',
      severity: 'critical',
      text: `instances do not see version ${manifest.version}: manifest.json is ${status} (${fault.code}: ${fault.message}). The next publish puts it right, or needle refresh`,
      since,
      details,
    },
  ]
}
