import { styleText } from 'node:util'
import { arms } from './arms.ts'
import { figureTable, interval } from './figure-table.ts'
import { type Machine, machineLine } from './machine.ts'
import type { UnablePeer } from './peers/try-peers.ts'
import type { PeerComparison, PeersSummary } from './peers-summary.ts'

export interface PeersSummaryContext {
  readonly machine: Machine
  readonly summary: PeersSummary
  readonly unable: readonly UnablePeer[]
}

/** Prints the table, needle's ratio to each peer, and which peers could not be measured and why. */
export function printPeersSummary({ machine, summary, unable }: PeersSummaryContext): void {
  const { rounds, generatorBusy, needleToHandWritten } = summary
  console.log(`
${machineLine(machine)}
${rounds} fresh launches per arm, loaded by turns in random order; medians
The load generator was busy for at most ${Math.round(generatorBusy * 100)} % of its time

${figureTable(summary.arms.map(({ arm, ...figures }) => [arm, figures]))}
p50 and p99 with ${summary.arms[0]?.openRatePerSecond} requests/s arriving at random (an eighth of what the hand-written route had just done)

Throughput ratio, median of the rounds' pairs [95 % bootstrap interval]; same handler, same validation; the goal is ahead of every peer
${summary.peers.map(comparisonLine).join('\n')}
  needle to hand-written         ${interval(needleToHandWritten)}`)
  for (const { peer, reason } of unable) {
    console.log(styleText('red', `  ${arms[peer].label} NOT measured: ${reason}`))
  }
  if (rounds < 10) console.log(`${rounds} rounds are too few for a figure to quote`)
}

function comparisonLine({
  peer,
  needleToPeer,
  peerToHandWritten,
  needleIs,
}: PeerComparison): string {
  const label = `needle to ${arms[peer].label}`.padEnd(30)
  const ratio = styleText('bold', interval(needleToPeer))
  const verdict = styleText(colours[needleIs], needleIs.padEnd(9))
  return `  ${label} ${ratio} ${verdict}   peer to hand-written ${interval(peerToHandWritten)}`
}

const colours = { ahead: 'green', behind: 'red', undecided: 'yellow' } as const
