import { clockToleranceMs, isExpired } from '@needle-faas/runtime/manifest'
import { createVerifiedReader, isRuntimeError, probeStore } from '@needle-faas/runtime/store'
import pLimit from 'p-limit'
import { releasesOf, toFunctionStates } from '../plan/function-states.ts'
import { assertNotLost } from './assert-not-lost.ts'
import type { Finding } from './finding.ts'
import { readReportReadings } from './instance-reports.ts'
import { remedyOf } from './remedy.ts'
import {
  type EnvironmentAccess,
  type EnvironmentReading,
  readEnvironment,
} from './read-environment.ts'

const dayMs = 24 * 60 * 60 * 1000
const expiryWarningMs = 7 * dayMs
const clockWarningMs = 60 * 1000

/** Looks at store, clock, manifest and all it names. Never throws but for an aborted signal. */
export async function examineEnvironment(access: EnvironmentAccess): Promise<readonly Finding[]> {
  const store = await examineStore(access)
  if (store.some(({ status }) => status === 'broken')) return store
  const clock = await guard(access, 'clock', () => examineClock(access))
  const manifest = await guard(access, 'manifest', async () => {
    const [reading, reports] = await Promise.all([
      readEnvironment(access),
      readReportReadings(access),
    ])
    assertNotLost(reading.state, reports)
    return [examineManifest(reading), ...(await examineObjects(access, reading))]
  })
  return [...store, ...clock, ...manifest]
}

async function examineStore({ store, signal }: EnvironmentAccess): Promise<readonly Finding[]> {
  const findings = await probeStore(store, { signal })
  return findings.map(({ capability, status, message }): Finding => {
    const text = `${store.location} ${capability}: ${message}`
    if (status === 'works') return { check: 'store', status: 'ok', message: text }
    switch (capability) {
      case 'write':
        return broken(`${text}. Check address, credentials and permissions`)
      case 'conditionalCreate':
        return broken(`${text}. Publishing needs --single-writer here`)
      case 'conditionalReplace':
        // Without it nothing could follow the first publish; that it is ignored does less harm.
        return status === 'ignored' ? warning(text) : broken(text)
      case 'notModified':
        return warning(text)
      default:
        return capability satisfies never
    }
  })
}

function broken(message: string): Finding {
  return { check: 'store', status: 'broken', message }
}

function warning(message: string): Finding {
  return { check: 'store', status: 'warning', message }
}

/** By the time the store gives to an object written now. */
async function examineClock({ store, signal }: EnvironmentAccess): Promise<readonly Finding[]> {
  const key = `probe/clock-${crypto.randomUUID()}.json`
  const before = Date.now()
  await store.put(key, new TextEncoder().encode('{}'), { signal })
  const after = Date.now()
  try {
    for await (const object of store.list(key, { signal })) {
      // Stores tell the time in whole seconds, so a second more is no skew.
      const skewMs = Math.max(
        before - object.modifiedAt - 1000,
        object.modifiedAt - after - 1000,
        0,
      )
      return [clockFinding(skewMs)]
    }
    const message = 'The store does not list what was just written: it is not strongly consistent'
    return [{ check: 'clock', status: 'warning', message }]
  } finally {
    await store.delete(key, { signal })
  }
}

function clockFinding(skewMs: number): Finding {
  const text = `this clock and the store's differ by ${Math.round(skewMs / 1000)} s`
  if (skewMs < clockWarningMs) return { check: 'clock', status: 'ok', message: text }
  const status = skewMs > clockToleranceMs ? 'broken' : 'warning'
  return { check: 'clock', status, message: `${text}. Set this machine's clock (NTP)` }
}

function examineManifest({ state, pointer }: EnvironmentReading): Finding {
  const manifest = state.newest?.manifest
  if (manifest === undefined) {
    return manifestFinding(
      'warning',
      `Nothing was ever published to ${state.environment}: needle publish`,
    )
  }
  if (pointer.status !== 'current') {
    return manifestFinding(
      'broken',
      `manifest.json is ${pointer.status}, history is at version ${manifest.version} (${pointer.fault?.code}: ${pointer.fault?.message}). The next publish puts it right, or: ${refreshCommand(state.environment)}`,
    )
  }
  const now = Date.now()
  const left = Date.parse(manifest.expiresAt) - now
  const refresh = refreshCommand(state.environment)
  const text = `version ${manifest.version} of ${manifest.issuedAt}`
  if (isExpired(manifest, now)) {
    return manifestFinding(
      'broken',
      `${text} expired on ${manifest.expiresAt}, instances take no change: ${refresh}`,
    )
  }
  return left < expiryWarningMs
    ? manifestFinding('warning', `${text} expires on ${manifest.expiresAt}: ${refresh}`)
    : manifestFinding('ok', `${text} expires on ${manifest.expiresAt}`)
}

function refreshCommand(environment: string): string {
  return `needle refresh --environment ${environment} --reason "…"`
}

function manifestFinding(status: Finding['status'], message: string): Finding {
  return { check: 'manifest', status, message }
}

/** Everything an instance that starts now would fetch. */
async function examineObjects(
  access: EnvironmentAccess,
  { state }: EnvironmentReading,
): Promise<readonly Finding[]> {
  const reader = createVerifiedReader(access)
  const limit = pLimit(16)
  const named = [...toFunctionStates(state.groups)].flatMap(([name, each]) =>
    releasesOf(each).map((ref) => ({ name, ref })),
  )
  const findings = await Promise.all(
    named.map(({ name, ref }) =>
      limit(() =>
        guard(access, 'objects', async () => {
          const { document } = await reader.release(ref, name, access)
          await reader.artifact(document, access)
          return []
        }),
      ),
    ),
  )
  const broken = findings.flat()
  if (broken.length > 0 || named.length === 0) return broken
  return [{ check: 'objects', status: 'ok', message: `all ${named.length} releases are whole` }]
}

async function guard(
  { signal, environment }: EnvironmentAccess,
  check: Finding['check'],
  examine: () => Promise<readonly Finding[]>,
): Promise<readonly Finding[]> {
  try {
    return await examine()
  } catch (error) {
    signal?.throwIfAborted()
    if (!isRuntimeError(error)) throw error
    const remedy = remedyOf(error, environment)
    const message = [`${error.code}: ${error.message}`, ...(remedy === null ? [] : [remedy])]
    return [{ check, status: 'broken', message: message.join('. ') }]
  }
}
