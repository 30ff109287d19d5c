import type { RuntimeOptions } from '@needle-faas/runtime'

/**
 * What a benchmarked BFF is told by its environment: NEEDLE_STORE, NEEDLE_TRUST, NEEDLE_CACHE and
 * NEEDLE_GROUP; POLL_INTERVAL_MS and LOAD_AHEAD, else the defaults.
 */
export function needleOptions(): RuntimeOptions {
  const pollIntervalMs = numberOf('POLL_INTERVAL_MS')
  const loadAhead = numberOf('LOAD_AHEAD')
  return {
    source: {
      store: required('NEEDLE_STORE'),
      environment: 'production',
      cacheDirectory: required('NEEDLE_CACHE'),
      pollIntervalMs,
    },
    groups: [required('NEEDLE_GROUP')],
    trust: required('NEEDLE_TRUST'),
    services: {},
    loadAhead,
  }
}

function required(name: string): string {
  const value = process.env[name]
  if (value === undefined) {
    throw new Error(`${name} is not set; start the benchmark with npm run bench`)
  }
  return value
}

function numberOf(name: string): number | undefined {
  const value = process.env[name]
  return value === undefined ? undefined : Number(value)
}
