import { PipelineError } from '../errors.ts'
import { type Controller, createController, type RoundOutcome } from '../rollout/controller.ts'
import { type CommandIo, type CommandResult, finish } from './command.ts'
import { describeEnding } from './describe-ending.ts'
import { describeRound } from './describe-round.ts'
import { toPublisher, withSession } from './environment-session.ts'
import { parseSeconds } from './parse-seconds.ts'
import { runStep } from './progress.ts'
import type { RolloutOptions } from './rollout.ts'
import { watchRollouts } from './watch-rollouts.ts'

const daySeconds = 24 * 60 * 60

/** The implementation of `needle rollout`. */
export async function runRollout(io: CommandIo, options: RolloutOptions): Promise<void> {
  assertOneWay(options)
  const intervalMs = parseSeconds('--interval', options.interval, { from: 1, to: 3600 })
  const timeoutMs = parseTimeout(options)
  const prometheus = parsePrometheus(options.prometheus ?? io.env['NEEDLE_PROMETHEUS'])
  const withController = <Value>(run: (controller: Controller) => Promise<Value>): Promise<Value> =>
    withSession(io, options, async (session) => {
      const publisher = await toPublisher(io, session, { ...options, what: 'manifest' })
      const actor = options.actor ?? 'needle rollout'
      return run(createController({ publisher, actor, prometheus }))
    })
  const untilDone = options.untilDone === true
  if (untilDone || options.watch === true) {
    const tell = (outcome: RoundOutcome): void =>
      printLine(io, options, describeRound(options.environment, outcome))
    const watching = { intervalMs, withController, tell, untilDone, timeoutMs }
    const ending = await watchRollouts(io, watching)
    if (!untilDone) return
    // Interrupted: whether all arrived is not known.
    if (ending === null) return io.signal.throwIfAborted()
    const leaveUnfinished = options.leaveUnfinished === true
    const result = describeEnding(ending, { environment: options.environment, leaveUnfinished })
    printLine(io, options, result)
    return finish(io, {}, { ...result, text: '' })
  }
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

/** While watching, JSON is one line each. */
function printLine(
  io: CommandIo,
  options: Pick<RolloutOptions, 'json'>,
  { text, json }: CommandResult,
): void {
  io.stdout(options.json === true ? `${JSON.stringify(json)}\n` : `${text}\n`)
}

/** Of two one would be ignored: a watch that ends is found out when it is missed. */
function assertOneWay({ once, watch, untilDone }: RolloutOptions): void {
  const ways = { '--once': once, '--watch': watch, '--until-done': untilDone }
  const given = Object.entries(ways).flatMap(([name, isGiven]) => (isGiven === true ? [name] : []))
  if (given.length <= 1) return
  throw new PipelineError(
    'USAGE_INVALID',
    `Give one of --once, --watch and --until-done, not ${given.join(' and ')}`,
  )
}

function parseTimeout({ untilDone, timeout, leaveUnfinished }: RolloutOptions): number {
  if (timeout === undefined) {
    if (leaveUnfinished !== true) return Infinity
    throw new PipelineError('USAGE_INVALID', '--leave-unfinished goes with --timeout <seconds>')
  }
  if (untilDone === true) return parseSeconds('--timeout', timeout, { from: 1, to: daySeconds })
  throw new PipelineError('USAGE_INVALID', '--timeout goes with --until-done')
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
