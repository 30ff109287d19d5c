import { styleText } from 'node:util'
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

/** Prints the report; returns whether every goal was met. */
export function printFleetReport({ options, steady, rounds }: FleetReport): boolean {
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
  const inRollout: HourlyRequests = {
    gets: mean(rounds.map(({ badCanary }) => badCanary.requests.gets)),
    puts: mean(rounds.map(({ badCanary }) => badCanary.requests.puts)),
  }
  const lines: readonly Line[] = [
    { what: 'publish → every instance serves it', ...spread(publish), goalMs: 5000 },
    { what: 'emergency stop → every instance', ...spread(stop), goalMs: 5000 },
    { what: 'bad canary published → first trip', ...spread(untilTrip), goalMs: null },
    { what: 'first trip → aborted by manifest', ...spread(untilAborted), goalMs: null },
    { what: 'first trip → aborted on every instance', ...spread(abort), goalMs: 8000 },
  ]
  const { cpu, node } = thisMachine()
  console.log(`\n${cpu}, Node ${node}, shared by all of it
${options.instances} runtimes, ${options.serving} of them BFFs under ${options.rate} requests/s, poll ${options.poll} ms, Ceph gateway on the same machine, ${options.rounds} rounds, seed ${options.seed}\n`)
  const verdicts = lines.map(printLine)
  verdicts.push(
    printGoal(
      `canary calls until the first instance stopped it: ${calls.join(', ')}`,
      'at most 20',
      Math.max(...calls) <= 20,
    ),
    printGoal(
      `failed requests of the idempotent function while its canary was bad: ${cardFailed} (${fallbacks} answered by stable instead)`,
      'none',
      cardFailed === 0,
    ),
    printGoal(
      `failed requests of the other function while its canary was bad: ${orderFailed} in ${rounds.filter(({ badCanary }) => badCanary.function === 'order').length} rollouts`,
      null,
      true,
    ),
    printGoal(
      `failed requests while good changes went live: ${otherFailed}`,
      'none',
      otherFailed === 0,
    ),
  )
  console.log(`\nstore requests per instance and hour, and their price at S3's public rates for 100 instances a month
steady          ${priced(steady)}
during rollouts ${priced(inRollout)}`)
  return verdicts.every(Boolean)
}

interface Line {
  readonly what: string
  readonly p50: number
  readonly p99: number
  readonly max: number
  /** Of the 99th percentile; null: only told. */
  readonly goalMs: number | null
}

function spread(samples: readonly number[]): Pick<Line, 'p50' | 'p99' | 'max'> {
  return {
    p50: quantile(samples, 0.5),
    p99: quantile(samples, 0.99),
    max: quantile(samples, 1),
  }
}

function printLine({ what, p50, p99, max, goalMs }: Line): boolean {
  const text = `${what.padEnd(40)} p50 ${inSeconds(p50)}, p99 ${inSeconds(p99)}, at most ${inSeconds(max)}`
  return printGoal(
    text,
    goalMs === null ? null : `p99 at most ${inSeconds(goalMs)}`,
    goalMs === null || p99 <= goalMs,
  )
}

function printGoal(text: string, goal: string | null, isMet: boolean): boolean {
  const verdict =
    goal === null
      ? ''
      : isMet
        ? `  ${styleText('green', `${goal}: met`)}`
        : `  ${styleText('red', `${goal}: missed`)}`
  console.log(`${text}${verdict}`)
  return isMet
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
