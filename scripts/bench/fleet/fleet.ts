import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { StoreEnv } from '../../playground/store-access.ts'
import type { StoreRequests } from './counting-store.ts'
import { type FleetMessage, fleetMessageSchema } from './fleet-message.ts'

export interface FleetOptions {
  readonly instances: number
  /** Of them, how many are BFFs with a port of their own. */
  readonly serving: number
  readonly pollIntervalMs: number
  /** As `Workspace.bffEnv`. */
  readonly env: StoreEnv
}

export type Trip = Extract<FleetMessage, { kind: 'tripped' }>

/** Many runtimes in a few processes of this machine. */
export interface Fleet {
  readonly size: number
  /** Of the BFFs. */
  readonly ports: readonly number[]
  /**
   * When each instance had activated this version or a later one, in epoch milliseconds.
   *
   * @throws Error when one has not within a minute
   */
  reached(version: number): Promise<readonly number[]>
  /** Breakers that tripped since this time. */
  tripsSince(at: number): readonly Trip[]
  /** Sent to the store so far. */
  requests(): Promise<StoreRequests>
  close(): Promise<void>
}

/** Runtimes of one process: few enough that its event loop is not what is measured. */
const perProcess = 40
const patienceMs = 60_000

export async function startFleet(options: FleetOptions): Promise<Fleet> {
  /** By instance: the first moment of each version. */
  const activations = new Map<string, Map<number, number>>()
  const trips: Trip[] = []
  const members: Member[] = []
  const listen = (message: FleetMessage): void => {
    if (message.kind === 'tripped') trips.push(message)
    if (message.kind !== 'activated') return
    const known = activations.get(message.instance) ?? new Map<number, number>()
    activations.set(message.instance, known.set(message.version, message.at))
  }
  const start = (name: string, env: StoreEnv): void => {
    const poll = { POLL_INTERVAL_MS: String(options.pollIntervalMs), NAME: name }
    members.push(startMember({ ...options.env, ...poll, ...env }, listen))
  }
  for (let index = 1; index <= options.serving; index++) start(`bff-${index}`, { SERVE: '1' })
  for (let left = options.instances - options.serving; left > 0; left -= perProcess) {
    start(`host-${members.length}`, { INSTANCES: String(Math.min(left, perProcess)) })
  }
  const ports = (await Promise.all(members.map(({ ready }) => ready))).flatMap((port) => port ?? [])

  const reachedBy = (version: number): readonly number[] =>
    [...activations.values()].flatMap((moments) => {
      const reached = [...moments].filter(([activated]) => activated >= version)
      return reached.length === 0 ? [] : [Math.min(...reached.map(([, at]) => at))]
    })

  return {
    size: options.instances,
    ports,
    reached: async (version) => {
      const deadline = Date.now() + patienceMs
      while (Date.now() < deadline) {
        const moments = reachedBy(version)
        if (moments.length === options.instances) return moments
        await delay(20)
      }
      throw new Error(
        `${reachedBy(version).length} of ${options.instances} instances reached version ${version} within ${patienceMs / 1000} s`,
      )
    },
    tripsSince: (since) => trips.filter(({ at }) => at >= since),
    requests: async () => {
      const all = await Promise.all(members.map((member) => member.requests()))
      return {
        gets: all.reduce((sum, { gets }) => sum + gets, 0),
        puts: all.reduce((sum, { puts }) => sum + puts, 0),
      }
    },
    close: async () => {
      await Promise.all(members.map((member) => member.close()))
    },
  }
}

interface Member {
  /** Its port, if it has one. */
  readonly ready: Promise<number | null>
  requests(): Promise<StoreRequests>
  close(): Promise<void>
}

function startMember(env: StoreEnv, onMessage: (message: FleetMessage) => void): Member {
  const child: ChildProcess = fork(join(import.meta.dirname, 'fleet-host.ts'), {
    execArgv: ['--conditions=needle-source'],
    env: { PATH: process.env['PATH'], ...env },
  })
  const ready = Promise.withResolvers<number | null>()
  let answer = Promise.withResolvers<StoreRequests>()
  child.on('message', (raw) => {
    const message = fleetMessageSchema.parse(raw)
    if (message.kind === 'ready') ready.resolve(message.port)
    else if (message.kind === 'requests') answer.resolve(message)
    else onMessage(message)
  })
  const exit = once(child, 'exit')
  void exit.then(() => ready.reject(new Error('A process of the fleet ended before it was ready')))
  return {
    ready: ready.promise,
    requests: () => {
      answer = Promise.withResolvers()
      child.send('requests')
      return answer.promise
    },
    close: async () => {
      if (child.connected) child.disconnect()
      await exit
    },
  }
}
