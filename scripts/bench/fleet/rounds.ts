import { setTimeout as delay } from 'node:timers/promises'
import type { Workspace } from '../workspace.ts'
import type { Fleet } from './fleet.ts'
import { fleetFile, type FleetFunction, fleetFunctions } from './fleet-functions.ts'
import type { FleetLoad, LoadCount } from './fleet-load.ts'
import type { Newest, Operators } from './operators.ts'

/** Requests to the store of one instance, scaled to an hour. */
export interface HourlyRequests {
  readonly gets: number
  readonly puts: number
}

/** What one round of changes came to. Times in milliseconds. */
export interface RoundResult {
  /** From the signing of a manifest until each instance serves it. */
  readonly publish: readonly number[]
  readonly emergencyStop: readonly number[]
  readonly badCanary: {
    readonly function: FleetFunction
    /** Calls the canary had got on the first instance that stopped it. */
    readonly callsUntilTrip: number
    /** From the signing of the rollout to its first trip. */
    readonly untilTripMs: number
    /** From that trip to the signing of the manifest that ends the rollout. */
    readonly untilAbortedMs: number
    /** From that trip until each instance serves the manifest that ends the rollout. */
    readonly abort: readonly number[]
    readonly users: LoadCount
    readonly requests: HourlyRequests
  }
  /** Met by users in all of the round but the bad canary and the stop. */
  readonly users: LoadCount
}

export interface RoundOptions {
  /** From 1. */
  readonly number: number
  readonly fleet: Fleet
  readonly load: FleetLoad
  readonly workspace: Workspace
  readonly operators: Operators
  readonly progress: (text: string) => void
}

/** As long as from one report of an instance to the next. */
const steadyMs = 60_000
const hourMs = 3_600_000

/** What instances ask of the store while nothing happens. */
export async function measureSteady(fleet: Fleet): Promise<HourlyRequests> {
  return countRequests(fleet, () => delay(steadyMs))
}

/** A good change, a bad canary, an emergency stop and its end. */
export async function playRound(options: RoundOptions): Promise<RoundResult> {
  const { number, fleet, load, workspace, operators, progress } = options
  load.take()
  const change = await publish(`v${number}`, 'well')
  const publishTimes = since(change.issuedAt, await fleet.reached(change.version))
  progress(`round ${number}: a change on all instances after ${seconds(publishTimes)}`)
  const users = load.take()

  const tried = number % 2 === 1 ? 'card' : 'order'
  const bad = await playBadCanary(tried)

  const stopped = number % 2 === 1 ? 'order' : 'card'
  await operators.stop(stopped)
  const stop = await operators.newest()
  const stopTimes = since(stop.issuedAt, await fleet.reached(stop.version))
  progress(`round ${number}: ${stopped} stopped on all instances after ${seconds(stopTimes)}`)
  await operators.resume(stopped)
  await fleet.reached((await operators.newest()).version)
  load.take()
  return { publish: publishTimes, emergencyStop: stopTimes, badCanary: bad, users }

  async function publish(version: string, health: 'well'): Promise<Newest> {
    const name = number % 2 === 1 ? 'card' : 'order'
    await deploy(name, version, health)
    return operators.newest()
  }

  async function deploy(
    name: FleetFunction,
    version: string,
    health: Parameters<typeof fleetFile>[2],
    canaryPercent?: number,
  ): Promise<void> {
    const subject = `${fleetFunctions[name]} ${version}`
    const { commit } = await workspace.merge(fleetFile(name, version, health), subject)
    await workspace.deployUnchecked(commit, subject, { canaryPercent })
  }

  async function playBadCanary(name: FleetFunction): Promise<RoundResult['badCanary']> {
    await deploy(name, `v${number}-bad`, 'fails half of its calls', 10)
    const rollout = await operators.newest()
    let ended = rollout
    const requests = await countRequests(fleet, async () => {
      while (ended.rollouts.length > 0) {
        await delay(250)
        ended = await operators.newest()
      }
    })
    const [first] = fleet.tripsSince(rollout.issuedAt).toSorted((a, b) => a.at - b.at)
    if (first === undefined) throw new Error('The canary was stopped although no breaker tripped')
    const abort = since(first.at, await fleet.reached(ended.version))
    progress(
      `round ${number}: bad canary of ${name} caught after ${first.canaryCalls} calls, aborted on all instances after ${seconds(abort)}`,
    )
    const met = load.take()
    // Git still says the bad one: the fix ends the hold.
    await deploy(name, `v${number}-fixed`, 'well')
    await fleet.reached((await operators.newest()).version)
    return {
      function: name,
      callsUntilTrip: first.canaryCalls,
      untilTripMs: first.at - rollout.issuedAt,
      untilAbortedMs: ended.issuedAt - first.at,
      abort,
      users: met,
      requests,
    }
  }
}

async function countRequests(
  fleet: Fleet,
  during: () => Promise<unknown>,
): Promise<HourlyRequests> {
  const before = await fleet.requests()
  const startedAt = performance.now()
  await during()
  const after = await fleet.requests()
  const scale = hourMs / (performance.now() - startedAt) / fleet.size
  return { gets: (after.gets - before.gets) * scale, puts: (after.puts - before.puts) * scale }
}

function since(at: number, moments: readonly number[]): number[] {
  return moments.map((moment) => moment - at)
}

function seconds(durations: readonly number[]): string {
  return `${(Math.max(...durations) / 1000).toFixed(2)} s`
}
