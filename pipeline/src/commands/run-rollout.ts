import { setTimeout as delay } from 'node:timers/promises'
import { describeError } from '../describe-error.ts'
import { isPipelineError, PipelineError } from '../errors.ts'
import { exitCode, exitCodeOf } from '../exit-code.ts'
import { type Controller, createController, type RoundOutcome } from '../rollout/controller.ts'
import { isRuntimeRefusal } from '../runtime-refusal.ts'
import { type CommandIo, type CommandResult, finish } from './command.ts'
import { describeRound } from './describe-round.ts'
import { toPublisher, withSession } from './environment-session.ts'
import { runStep } from './progress.ts'
import type { RolloutOptions } from './rollout.ts'

/** Longest pause after failures in a row, in milliseconds. */
const longestPauseMs = 60_000

/** The implementation of `needle rollout`. */
export async function runRollout(io: CommandIo, options: RolloutOptions): Promise<void> {
  const intervalMs = parseInterval(options.interval)
  const prometheus = parsePrometheus(options.prometheus ?? io.env['NEEDLE_PROMETHEUS'])
  const withController = <Value>(run: (controller: Controller) => Promise<Value>): Promise<Value> =>
    withSession(io, options, async (session) => {
      const publisher = await toPublisher(io, session, { ...options, what: 'manifest' })
      const actor = options.actor ?? 'needle rollout'
      return run(createController({ publisher, actor, prometheus }))
    })
  if (options.watch === true) return watch(io, options, { intervalMs, withController })
  const result = await runStep(io, {
    title: `Looking at the rollouts of ${options.environment}`,
    run: () => withController((controller) => lookOnce(options.environment, controller)),
  })
  finish(io, options, result)
}

async function lookOnce(environment: string, controller: Controller): Promise<CommandResult> {
  let outcome = await controller.round()
  // More than one manifest takes, so the rest goes into the next.
  while (outcome.deferred > 0 && outcome.change?.isWritten) {
    const before = outcome
    const next = await controller.round()
    const news = new Set(next.decisions.map((decision) => decision.function))
    const earlier = before.decisions.filter((decision) => !news.has(decision.function))
    outcome = { ...next, decisions: [...earlier, ...next.decisions] }
  }
  return describeRound(environment, outcome)
}

interface Watching {
  readonly intervalMs: number
  readonly withController: <Value>(
    run: (controller: Controller) => Promise<Value>,
  ) => Promise<Value>
}

/**
 * Looks again and again. What fails for a time (the store, a lost race) is told and tried again with
 * a fresh session, which also learns of new keys; what no waiting mends ends it.
 */
async function watch(
  io: CommandIo,
  options: RolloutOptions,
  { intervalMs, withController }: Watching,
): Promise<void> {
  let failures = 0
  let said = ''
  const look = async (controller: Controller): Promise<void> => {
    for (;;) {
      const outcome = await controller.round()
      failures = 0
      const gist = gistOf(outcome)
      if (gist !== said || outcome.change?.isWritten) print(io, options, outcome)
      said = gist
      if (outcome.deferred === 0) await delay(intervalMs, undefined, { signal: io.signal })
    }
  }
  while (!io.signal.aborted) {
    try {
      await withController(look)
    } catch (error) {
      if (io.signal.aborted) return
      const isKnown = isPipelineError(error) || isRuntimeRefusal(error)
      if (!isKnown || exitCodeOf(error) === exitCode.usage) throw error
      failures++
      said = ''
      const pauseMs = Math.min(longestPauseMs, intervalMs * 2 ** failures) * Math.random()
      io.stderr(`${describeError(error, false).text}\nAgain in ${Math.ceil(pauseMs / 1000)} s.\n`)
      await delay(pauseMs, undefined, { signal: io.signal }).catch(() => undefined)
    }
  }
}

/** What must differ for a round to be worth telling: not how long something bakes still. */
function gistOf({ decisions }: RoundOutcome): string {
  return JSON.stringify(decisions.map(({ function: name, kind, verdict }) => [name, kind, verdict]))
}

function print(io: CommandIo, options: RolloutOptions, outcome: RoundOutcome): void {
  const { text, json } = describeRound(options.environment, outcome)
  io.stdout(options.json === true ? `${JSON.stringify(json)}\n` : `${text}\n`)
}

function parseInterval(typed: string): number {
  const seconds = Number(typed)
  if (typed.trim() !== '' && seconds >= 1 && seconds <= 3600) return seconds * 1000
  throw new PipelineError(
    'USAGE_INVALID',
    `--interval takes seconds from 1 to 3600, not "${typed}"`,
  )
}

function parsePrometheus(typed: string | undefined): string | undefined {
  if (typed === undefined || typed === '') return undefined
  const url = URL.parse(typed)
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return typed
  throw new PipelineError(
    'USAGE_INVALID',
    `--prometheus takes an address as http://prometheus:9090, not "${typed}"`,
  )
}
