import { expect, it } from 'vitest'
import type { Arm } from './arms.ts'
import type { Launch } from './measure-round.ts'
import { goalsOfPeers, summarisePeers } from './peers-summary.ts'

const launch = (requestsPerSecond: number): Launch => ({
  requestsPerSecond,
  turns: [requestsPerSecond, requestsPerSecond, requestsPerSecond],
  warmUpRequests: requestsPerSecond,
  cpuMicrosPerRequest: 50,
  rssBytes: 2 ** 27,
  generatorBusy: 0.4,
  open: null,
})

const round = (needle: number, watt: number): ReadonlyMap<Arm, Launch> =>
  new Map([
    ['baseline', launch(1000)],
    ['needle', launch(needle)],
    ['watt', launch(watt)],
  ])

const wattIn = (rounds: readonly ReadonlyMap<Arm, Launch>[]) =>
  summarisePeers(rounds, ['watt'], 1).peers[0]

it.each([
  { needleIs: 'ahead', rounds: [round(900, 800), round(900, 600)] },
  { needleIs: 'behind', rounds: [round(900, 950), round(900, 1000)] },
  { needleIs: 'undecided', rounds: [round(900, 800), round(900, 1000)] },
])('says that needle is $needleIs as the whole interval does', ({ needleIs, rounds }) => {
  expect(wattIn(rounds)?.needleIs).toBe(needleIs)
  const [goal] = goalsOfPeers(summarisePeers(rounds, ['watt'], 1))
  expect(goal).toMatchObject({ what: 'throughput ratio to watt', isMet: needleIs === 'ahead' })
})

it('compares with the hand-written route of the same round', () => {
  const { needleToHandWritten } = summarisePeers([round(900, 800)], ['watt'], 1)
  expect(needleToHandWritten.median).toBe(0.9)
  expect(wattIn([round(900, 800)])?.peerToHandWritten.median).toBe(0.8)
})

it('leaves out what could not be read of a server instead of inventing it', () => {
  const unread = { ...launch(800), cpuMicrosPerRequest: null, rssBytes: null }
  const { arms } = summarisePeers([new Map(round(900, 800)).set('watt', unread)], ['watt'], 1)
  expect(arms.at(-1)).toMatchObject({ arm: 'watt', cpuMicrosPerRequest: null, rssBytes: null })
})

it('stands without any peer', () => {
  const { arms, peers } = summarisePeers([round(900, 800)], [], 1)
  expect(peers).toEqual([])
  expect(arms.map(({ arm }) => arm)).toEqual(['baseline', 'needle'])
})
