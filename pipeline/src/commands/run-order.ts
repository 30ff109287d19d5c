import { PipelineError } from '../errors.ts'
import type { EnvironmentState } from '../environment-state/environment-state.ts'
import type { Order } from '../plan/order.ts'
import type { Plan } from '../plan/plan.ts'
import { changeEnvironment, type PlannedChange } from '../publish/change-environment.ts'
import type { Publisher } from '../publish/publisher.ts'
import { describeOutcome } from './describe-outcome.ts'
import { followFleet } from './follow-fleet.ts'
import { type CommandIo, finish } from './command.ts'
import { actorOf, type SigningOptions, toPublisher, withSession } from './environment-session.ts'
import { runStep } from './progress.ts'

export interface OrderOptions extends SigningOptions {
  readonly reason: string
}

export interface OrderToRun<FunctionName extends string | null> {
  /** Null: all of them. */
  readonly function: FunctionName
  /** Shown while it runs. */
  readonly title: string
  /** `code` when releases are signed as well. Default `manifest`. */
  readonly what?: 'code' | 'manifest' | undefined
  readonly plan: (
    order: Omit<Order, 'function'> & { readonly function: FunctionName },
    publisher: Publisher,
  ) => Plan | Promise<Plan>
  /** How long to watch the instances follow, in milliseconds; absent: not at all. */
  readonly followMs?: number | undefined
  /** Completes a plan that needs objects of its own. */
  readonly prepare?:
    | ((publisher: Publisher, state: EnvironmentState, plan: Plan) => Promise<PlannedChange>)
    | undefined
}

/**
 * Signs and writes what a person ordered, and prints what came of it.
 *
 * @throws PipelineError `USAGE_INVALID` for a reason without a word in it
 */
export async function runOrder<FunctionName extends string | null>(
  io: CommandIo,
  options: OrderOptions,
  order: OrderToRun<FunctionName>,
): Promise<void> {
  const reason = options.reason.trim()
  if (reason === '') {
    throw new PipelineError(
      'USAGE_INVALID',
      '--reason is empty: say why, for those who read the history',
    )
  }
  const result = await withSession(io, options, async (session) => {
    const publisher = await toPublisher(io, session, { ...options, what: order.what ?? 'manifest' })
    const actor = await actorOf(io, options)
    const outcome = await runStep(io, {
      title: order.title,
      run: () =>
        changeEnvironment(publisher, async (state) => {
          const { function: functionName } = order
          const now = publisher.clock.now()
          const plan = await order.plan(
            { state, function: functionName, actor, reason, now },
            publisher,
          )
          return order.prepare?.(publisher, state, plan) ?? { plan, uploads: [] }
        }),
    })
    const described = describeOutcome(options.environment, outcome)
    const { manifest, plan } = outcome
    const { function: name, followMs } = order
    if (followMs === undefined || name === null) return described
    if (manifest === null || plan.refusals.length > 0) return described
    const fleet = await followFleet(io, session.access, {
      manifest,
      function: name,
      waitMs: followMs,
    })
    return {
      text: `${described.text}\n${fleet.text}`,
      json: { ...described.json, fleet: fleet.json },
      exitCode: fleet.exitCode,
    }
  })
  finish(io, options, result)
}
