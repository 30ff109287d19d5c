import { styleText } from 'node:util'
import type { Goal } from '../../goals.ts'
import { thisMachine } from '../machine.ts'
import { quantile } from '../statistics.ts'
import type { HourlyRequests, RoundResult } from './rounds.ts'

export interface FleetReport {
  readonly options: {
    readonly instances: number
    readonly serving: number
    readonly rate: number
    readonly poll: number
    readonly rounds: number
    readonly seed: number
  }
  readonly steady: HourlyRequests
  readonly rounds: readonly RoundResult[]
}

/** Amazon S3 Standard, us-east-1, per request in dollars (aws.amazon.com/s3/pricing, November 2026). */
const dollars = { get: 0.4e-6, put: 5e-6 }
const hoursPerMonth = 730

/** What came out, in the order of the report. */
interface FleetFinding extends Goal {
  readonly figure: string
}

export function judgeFleet(rounds: readonly RoundResult[]): FleetFinding[] {
  const publish = rounds.flatMap((round) => round.publish)
  const stop = rounds.flatMap((round) => round.emergencyStop)
  const abort = rounds.flatMap(({ badCanary }) => badCanary.abort)
  const calls = rounds.map(({ badCanary }) => badCanary.callsUntilTrip)
  const untilAborted = rounds.map(({ badCanary }) => badCanary.untilAbortedMs)
  const untilTrip = rounds.map(({ badCanary }) => badCanary.untilTripMs)
  const cardFailed = sum(rounds.map(({ badCanary }) => badCanary.users.failed.card))
  const orderFailed = sum(rounds.map(({ badCanary }) => badCanary.users.failed.order))
  const fallbacks = sum(rounds.map(({ badCanary }) => badCanary.users.fallbacks))
  const otherFailed = sum(rounds.map(({ users }) => users.failed.card + users.failed.order))
  return [
    delay('publish → every instance serves it', publish, 5000),
    delay('emergency stop → every instance', stop, 5000),
    delay('bad canary published → first trip', untilTrip),
    delay('first trip → aborted by manifest', untilAborted),
    delay('first trip → aborted on every instance', abort, 8000),
    {
      what: 'canary calls until the first instance stopped it',
      figure: calls.join(', '),
      goal: 'at most 20',
      isMet: Math.max(...calls) <= 20,
    },
    {
      what: 'failed requests of the idempotent function while its canary was bad',
      figure: `${cardFailed} (${fallbacks} answered by stable instead)`,
      goal: 'none',
      isMet: cardFailed === 0,
    },
    {
      what: 'failed requests of the other function while its canary was bad',
      figure: `${orderFailed} in ${rounds.filter(({ badCanary }) => badCanary.function === 'order').length} rollouts`,
      goal: null,
      isMet: null,
    },
    {
      what: 'failed requests while good changes went live',
      figure: String(otherFailed),
      goal: 'none',
      isMet: otherFailed === 0,
    },
  ]
}

/** @param goalMs of the 99th percentile; none: it is only told */
function delay(what: string, samples: readonly number[], goalMs?: number): FleetFinding {
  const p99 = quantile(samples, 0.99)
  return {
    what,
    figure: `p50 ${inSeconds(quantile(samples, 0.5))}, p99 ${inSeconds(p99)}, at most ${inSeconds(quantile(samples, 1))}`,
    goal: goalMs === undefined ? null : `p99 at most ${inSeconds(goalMs)}`,
    isMet: goalMs === undefined ? null : p99 <= goalMs,
  }
}

export function printFleetReport({ options, steady, rounds }: FleetReport): void {
  const inRollout: HourlyRequests = {
    gets: mean(rounds.map(({ badCanary }) => badCanary.requests.gets)),
    puts: mean(rounds.map(({ badCanary }) => badCanary.requests.puts)),
  }
  const { cpu, node } = thisMachine()
  console.log(`\n${cpu}, Node ${node}, shared by all of it
${options.instances} runtimes, ${options.serving} of them BFFs under ${options.rate} requests/s, poll ${options.poll} ms, Ceph gateway on the same machine, ${options.rounds} rounds, seed ${options.seed}\n`)
  for (const { what, figure, goal, isMet } of judgeFleet(rounds)) {
    const verdict =
      isMet === true ? styleText('green', `${goal}: met`) : styleText('red', `${goal}: missed`)
    console.log(`${`${what}:`.padEnd(40)} ${figure}${goal === null ? '' : `  ${verdict}`}`)
  }
  console.log(`\nstore requests per instance and hour, and their price at S3's public rates for 100 instances a month
steady          ${priced(steady)}
during rollouts ${priced(inRollout)}`)
}

function priced({ gets, puts }: HourlyRequests): string {
  const monthly = (gets * dollars.get + puts * dollars.put) * hoursPerMonth * 100
  return `${Math.round(gets)} GET, ${Math.round(puts)} PUT   $${monthly.toFixed(2)}`
}

function inSeconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(2)} s`
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}

function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : sum(values) / values.length
}
