import { readFile } from 'node:fs/promises'
import { expect, it } from 'vitest'
import { runtimeErrorCodes } from '../src/errors.ts'
import { callFamilies } from '../src/metrics/call-families.ts'
import { createMetricsRegistry } from '../src/metrics/metrics-registry.ts'
import { toPrometheusName } from '../src/metrics/prometheus-text.ts'
import { parseRuntimeOptions } from '../src/runtime-options.ts'
import { statusFamilies } from '../src/sync/status-families.ts'
import { startRuntime } from './support/start-runtime.ts'
import { createTestEnvironment } from './support/test-environment.ts'

const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8')

/** Cells of the rows below a heading, without head and rule. */
function rowsBelow(heading: string): string[][] {
  const section = readme.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? ''
  return section
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) =>
      line
        .slice(1, -1)
        .split('|')
        .map((cell) => cell.trim()),
    )
}

it('lists every error code once, with cause and remedy, and none that does not exist', () => {
  const rows = rowsBelow('Errors')
  expect(rows.map(([code]) => code?.replaceAll('`', ''))).toEqual([...runtimeErrorCodes])
  expect(rows.filter(([, cause, remedy]) => cause === '' || remedy === '')).toEqual([])
})

it('lists every option with its default', () => {
  const documented = rowsBelow('Options').map(([name]) => name?.replaceAll('`', '') ?? '')
  const all = {
    source: {
      store: 'memory:',
      environment: 'production',
      pollIntervalMs: 5000,
      cacheDirectory: 'x',
      bootDeadlineMs: 5000,
      minVersion: 1,
    },
    groups: ['shop'],
    prefix: '/bff',
    trust: 'x',
    services: {},
    stickyKey: () => '',
    log: { debug: 0, info: 0, warn: 0, error: 0 },
    onEvent: () => {},
    clock: { now: 0, sleep: 0 },
    drainTimeoutMs: 30_000,
    warmPrevious: 1,
    loadAhead: 50,
    evictAfterMs: 900_000,
    instance: 'a',
    probationCalls: 20,
    maxLoopDelayMs: 200,
    probeIntervalMs: 30_000,
    report: true,
    watchdog: { limitMs: 300 },
  }
  const { source, ...rest } = parseRuntimeOptions(all)
  const names = [...Object.keys(source).map((name) => `source.${name}`), ...Object.keys(rest)]
  expect(documented.filter((name) => !name.endsWith('(plugin)')).toSorted()).toEqual(
    names.toSorted(),
  )
  const defaults = parseRuntimeOptions({ source: { store: 'memory:' }, groups: ['a'], trust: 'x' })
  for (const [name, shown] of rowsBelow('Options')) {
    const [first = '', second] = (name ?? '').replaceAll('`', '').split('.')
    const value: unknown = Reflect.get(
      second === undefined ? defaults : defaults.source,
      second ?? first,
    )
    const isLiteral = typeof value === 'number' || typeof value === 'boolean'
    expect(isLiteral ? String(value) : '').toBe(isLiteral ? shown?.replaceAll('`', '') : '')
  }
})

it('lists every metric by both its names, with kind and unit', async () => {
  const runtime = await startRuntime(await createTestEnvironment(), {
    source: { bootDeadlineMs: 1 },
  })
  const families = [
    ...callFamilies(createMetricsRegistry()),
    ...statusFamilies(runtime.status()),
  ].map((family) => [family.name, toPrometheusName(family), `${family.type}, ${family.unit}`])
  const documented = rowsBelow('Traces and metrics').map((cells) =>
    cells.slice(0, 3).map((cell) => cell.replaceAll('`', '')),
  )
  expect(documented).toEqual(families)
})

it('reports every problem of the options at once', () => {
  expect(() =>
    parseRuntimeOptions({ source: { store: '', pollIntervalMs: 0, intervall: 1 }, groups: [] }),
  ).toThrow(/source.store[\s\S]*source.pollIntervalMs[\s\S]*intervall[\s\S]*groups[\s\S]*trust/)
})
