import type { Goal } from '../goals.ts'
import { type ArmSummary, estimateRatio, summariseArm } from './arm-summary.ts'
import { type Arm, arms, type Peer } from './arms.ts'
import { type Launch, of } from './measure-round.ts'
import type { Estimate } from './statistics.ts'

export interface PeersSummary {
  readonly rounds: number
  /** Medians over the rounds, in the order of the table. */
  readonly arms: readonly (ArmSummary & { readonly arm: Arm })[]
  readonly peers: readonly PeerComparison[]
  /** Needle's throughput to the hand-written route's, in the same rounds. */
  readonly needleToHandWritten: Estimate
  /** Highest share of its time the load generator ever had something to do. */
  readonly generatorBusy: number
}

export interface PeerComparison {
  readonly peer: Peer
  /** Needle's throughput to the peer's. */
  readonly needleToPeer: Estimate
  readonly peerToHandWritten: Estimate
  /** What the interval of `needleToPeer` says: all of it above 1, all of it below, or neither. */
  readonly needleIs: Standing
}

export type Standing = 'ahead' | 'behind' | 'undecided'

/** Each round holds a launch of the hand-written route, of needle and of every one of the peers. */
export function summarisePeers(
  rounds: readonly ReadonlyMap<Arm, Launch>[],
  peers: readonly Peer[],
  seed: number,
): PeersSummary {
  const launches = (arm: Arm): Launch[] => rounds.map((round) => of(round, arm))
  const ratio = (above: Arm, below: Arm): Estimate =>
    estimateRatio(launches(above), launches(below), seed)
  const measured: Arm[] = ['baseline', 'needle', ...peers]
  return {
    rounds: rounds.length,
    arms: measured.map((arm) => ({ arm, ...summariseArm(launches(arm)) })),
    peers: peers.map((peer) => {
      const needleToPeer = ratio('needle', peer)
      return {
        peer,
        needleToPeer,
        peerToHandWritten: ratio(peer, 'baseline'),
        needleIs: standing(needleToPeer),
      }
    }),
    needleToHandWritten: ratio('needle', 'baseline'),
    generatorBusy: Math.max(
      ...measured.flatMap(launches).map(({ generatorBusy }) => generatorBusy),
    ),
  }
}

/** Needle is to be ahead of each peer that could be measured. */
export function goalsOfPeers({ peers }: PeersSummary): Goal[] {
  return peers.map(({ peer, needleIs }) => ({
    what: `throughput ratio to ${arms[peer].label}`,
    goal: 'lower end above 1',
    isMet: needleIs === 'ahead',
  }))
}

function standing({ low, high }: Estimate): Standing {
  if (low > 1) return 'ahead'
  return high < 1 ? 'behind' : 'undecided'
}
