import { createHistogram } from 'node:perf_hooks'
import { type Answer, type Connection, type Exchange, openConnection } from './http-connection.ts'
import { createSeededRandom } from './seeded-random.ts'

export interface LoadTarget {
  readonly port: number
  /** Each with at most one request under way. */
  readonly connections: number
}

export interface LoadOptions {
  /** Taken in turn, from where the client's last load left off. */
  readonly exchanges: readonly Exchange[]
  readonly durationMs: number
  /** Ends the load before its time. */
  readonly signal?: AbortSignal | undefined
  /**
   * Requests arrive at this mean rate, at random times (Poisson), whether or not the server keeps
   * up; latency counts from the arrival. Without it each connection asks again as soon as it is
   * answered: that finds the throughput.
   */
  readonly ratePerSecond?: number | undefined
}

export interface LoadResult {
  /** Right answers: status 200 and a right body. */
  readonly answered: number
  readonly failed: number
  /** What the first wrong answer was; null without one. */
  readonly firstFailure: string | null
  readonly durationMs: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
  /** Of every request, when they arrived at a rate; else empty. */
  readonly latenciesMs: readonly number[]
  /** Share of the time in which there were answers to handle, 0–1: near 1 it measures itself. */
  readonly busy: number
}

/** Keep-alive connections to one server, for one load after another. */
export interface LoadClient {
  /** Connections the server has closed since, or may be about to, are opened again. One load at a time. */
  run(options: LoadOptions): Promise<LoadResult>
  close(): void
}

/**
 * A server of Node's closes a connection that was idle for five seconds (`keepAliveTimeout`), at worst
 * while the next request is on its way.
 */
const reusableForMs = 4000

/**
 * Loads an HTTP/1.1 server on this machine over raw sockets: about a tenth of what a full client
 * costs, so that the generator's core is not what is measured. While it waits it spins: to wake a
 * sleeper costs the one who writes to it, up to a quarter of a small request on a virtual machine, and
 * the slower a server the oftener its client sleeps.
 */
export function createLoadClient(target: LoadTarget): LoadClient {
  let open: readonly Connection[] = []
  let turn = 0
  let endedAt = 0
  const close = (): void => {
    for (const connection of open) connection.close()
  }
  return {
    run: async (options) => {
      if (performance.now() - endedAt > reusableForMs) close()
      open = await Promise.all(
        Array.from({ length: target.connections }, async (_, index) => {
          const before = open[index]
          return before?.isOpen === true ? before : openConnection(target.port)
        }),
      )
      const { exchanges } = options
      const next = (): Exchange => exchanges[turn++ % exchanges.length] ?? throwNoExchange()
      try {
        return await load(open, next, options)
      } finally {
        endedAt = performance.now()
      }
    },
    close,
  }
}

/** One load with connections of its own. */
export async function runLoad({
  port,
  connections,
  ...options
}: LoadTarget & LoadOptions): Promise<LoadResult> {
  const client = createLoadClient({ port, connections })
  try {
    return await client.run(options)
  } finally {
    client.close()
  }
}

async function load(
  connections: readonly Connection[],
  next: () => Exchange,
  options: LoadOptions,
): Promise<LoadResult> {
  const latency = createHistogram({ figures: 3 })
  const latenciesMs: number[] = []
  let answered = 0
  let failed = 0
  let firstFailure: string | null = null
  const record = (answer: Answer): void => {
    const ms = performance.now() - answer.startedAt
    latency.record(Math.max(1, Math.round(ms * 1e6)))
    if (options.ratePerSecond !== undefined) latenciesMs.push(Math.round(ms * 1000) / 1000)
    if (answer.failure === null) answered++
    else {
      failed++
      firstFailure ??= answer.failure
    }
  }

  const started = performance.now()
  const end = started + options.durationMs
  const isOver = (now: number): boolean => now >= end || options.signal?.aborted === true
  const drive = options.ratePerSecond === undefined ? driveClosed : driveOpen
  const spinning = spin(() => answered + failed)
  await drive({ connections, next, record, isOver, ratePerSecond: options.ratePerSecond ?? 0 })
  const elapsedMs = performance.now() - started
  const idleMs = spinning.stop()
  return {
    answered,
    failed,
    firstFailure,
    durationMs: elapsedMs,
    p50Ms: toMs(latency.percentile(50)),
    p99Ms: toMs(latency.percentile(99)),
    maxMs: toMs(latency.max),
    latenciesMs,
    busy: 1 - idleMs / elapsedMs,
  }
}

/** Keeps the event loop turning; `stop` says how long it turned without `progress`. */
function spin(progress: () => number): { stop(): number } {
  let immediate = setImmediate(turn)
  let idleMs = 0
  let before = { progress: progress(), at: performance.now() }

  function turn(): void {
    const now = { progress: progress(), at: performance.now() }
    if (now.progress === before.progress) idleMs += now.at - before.at
    before = now
    immediate = setImmediate(turn)
  }
  return {
    stop: () => {
      clearImmediate(immediate)
      return idleMs
    },
  }
}

function toMs(nanoseconds: number): number {
  return nanoseconds / 1e6
}

interface Drive {
  readonly connections: readonly Connection[]
  readonly next: () => Exchange
  readonly record: (answer: Answer) => void
  readonly isOver: (now: number) => boolean
  readonly ratePerSecond: number
}

async function driveClosed({ connections, next, record, isOver }: Drive): Promise<void> {
  await Promise.all(
    connections.map(async (connection) => {
      for (let now = performance.now(); !isOver(now); now = performance.now()) {
        record(await connection.ask(next(), now))
      }
    }),
  )
}

async function driveOpen({
  connections,
  next,
  record,
  isOver,
  ratePerSecond,
}: Drive): Promise<void> {
  const random = createSeededRandom(1)
  const idle = [...connections]
  const waitMs = (): number => (-Math.log(1 - random()) * 1000) / ratePerSecond
  let due = performance.now() + waitMs()
  let underWay = 0
  const exchange = async (connection: Connection, arrivedAt: number): Promise<void> => {
    record(await connection.ask(next(), arrivedAt))
    idle.push(connection)
    underWay--
  }
  while (!isOver(due) || underWay > 0) {
    const now = performance.now()
    while (due <= now && !isOver(due)) {
      const connection = idle.pop()
      if (connection === undefined) break
      underWay++
      void exchange(connection, due)
      due += waitMs()
    }
    // A timer is too coarse for arrivals that are microseconds apart.
    await new Promise((resolve) => setImmediate(resolve))
  }
}

function throwNoExchange(): never {
  throw new RangeError('A load needs at least one exchange')
}
