import { describe, expect, it } from 'vitest'
import { type Probe, probeNames, probes, readVersion } from './probes.ts'

describe.each(probeNames)('%s', (name) => {
  it('recognises a whole answer', () => {
    expect(readVersion(name, 7, probes[name].answer('v12', 7))).toBe('v12')
  })

  it('refuses an answer that is cut short', () => {
    expect(readVersion(name, 7, probes[name].answer('v12', 7).slice(0, -3))).toBeNull()
  })
})

it.each(['order', 'feed'] as const)('refuses an answer of %s mixed of two versions', (name) => {
  const probe: Probe = probes[name]
  const mixed = probe.answer('v1', 7).replace(/v1(?!.*v1)/s, 'v2')
  expect(readVersion(name, 7, mixed)).toBeNull()
})

it("refuses another request's answer", () => {
  expect(readVersion('order', 8, probes.order.answer('v1', 7))).toBeNull()
})
