import type { ReportedSide } from '@needle-faas/runtime/manifest'
import { expect, test } from 'vitest'
import type { Controller } from '../../src/rollout/controller.ts'
import { createFleetUnderTest, type FleetUnderTest, minute, type Said } from './fleet-under-test.ts'

const three = ['bff-1', 'bff-2', 'bff-3']

/** A canary at 10 %, baked, that wants a hundred calls. */
async function baked(): Promise<FleetUnderTest> {
  const fleet = await createFleetUnderTest()
  await fleet.publish({ 'shop/card': 'card 1' })
  await fleet.publish({ 'shop/card': 'card 2' })
  fleet.pass(6 * minute)
  return fleet
}

async function all(fleet: FleetUnderTest, names: readonly string[], said: Said): Promise<void> {
  for (const name of names) await fleet.report(name, said)
}

async function decide(controller: Controller): Promise<{ is: string; text: string }> {
  const { decisions } = await controller.round()
  const [{ kind, verdict, text } = { kind: 'none', verdict: '', text: '' }] = decisions
  return { is: `${kind} ${verdict}`, text }
}

function side(calls: number, faults = 0): ReportedSide {
  return { calls, faults, slow: 0 }
}

test('an unknown instance with plausible good counts moves no canary, at no step, and is named', async () => {
  const fleet = await baked()
  const controller = fleet.controller()
  await all(fleet, three, { stable: side(300), canary: side(25) })
  expect((await decide(controller)).is).toBe('hold inconclusive')
  await fleet.report('stranger', { stable: side(2700), canary: side(300) })
  const held = await decide(controller)
  expect(held.is).toBe('hold inconclusive')
  expect(held.text).toMatch(
    /at 10 %: it would go on by the word of stranger alone\. Without stranger: 75 of the 100 calls .*delete environments\/production\/instances\/stranger\.json; .*needle promote shop\/card/,
  )
  // What the others bear out goes on, whatever it says.
  await all(fleet, three, { stable: side(400), canary: side(40) })
  expect((await decide(controller)).is).toBe('step successful')

  await all(fleet, three, { stable: side(410), canary: side(50) })
  fleet.pass(6 * minute)
  await all(fleet, three, { stable: side(410), canary: side(50) })
  await fleet.report('stranger', { stable: side(4700), canary: side(3000) })
  const later = await decide(controller)
  expect(later.is).toBe('hold inconclusive')
  expect(later.text).toContain('Without stranger: 30 of the 100 calls')
  // Nor does it move one by vanishing, although the fleet has counted more calls before.
  await fleet.report('stranger', { more: { stopped: true } })
  expect((await decide(controller)).is).toBe('hold inconclusive')
})

test('failures of stable that one instance claims excuse nothing', async () => {
  const fleet = await baked()
  const controller = fleet.controller()
  const doubtful = { stable: side(900), canary: side(60, 2) }
  await all(fleet, three, doubtful)
  expect(await decide(controller)).toMatchObject({
    is: 'hold inconclusive',
    text: expect.stringContaining('3.33 % failed, stable 0 %'),
  })
  await fleet.report('stranger', { stable: side(60_000, 50_000), canary: side(0) })
  expect(await decide(controller)).toMatchObject({
    is: 'hold inconclusive',
    text: expect.stringContaining(
      'by the word of stranger alone. Without stranger: over its limits',
    ),
  })
})

test.each([
  [1, 100],
  [2, 100],
  [3, 50],
  [20, 6],
])(
  'an honest fleet of %i gets to everyone, step by step, with %i calls of each',
  async (count, calls) => {
    const fleet = await baked()
    const names = Array.from({ length: count }, (_, index) => `bff-${index + 1}`)
    const controller = fleet.controller()
    for (const end of ['step successful', 'promote successful']) {
      const before = end.startsWith('step') ? 0 : calls
      await all(fleet, names, { stable: side(9_000), canary: side(before) })
      fleet.pass(6 * minute)
      await all(fleet, names, { stable: side(9_000), canary: side(before + calls - 1) })
      expect((await decide(controller)).is).toBe('hold inconclusive')
      await all(fleet, names, { stable: side(9_000), canary: side(before + calls) })
      expect((await decide(controller)).is).toBe(end)
    }
  },
)
