import type { FastifyInstance } from 'fastify'
import { expect, vi } from 'vitest'
import type { RolloutPolicy } from '../../src/config/rollout-policy.ts'
import { createLiveEnvironment, type LiveEnvironment } from '../bad-input/live-environment.ts'
import { configWith, type Files } from '../repository.ts'

/** A live environment, one BFF that reports, and `needle rollout` to decide by what it reports. */
export interface LiveRollouts extends AsyncDisposable {
  readonly on: LiveEnvironment
  readonly bff: FastifyInstance
  /** Until the BFF knows of it. */
  readonly deploy: LiveEnvironment['deploy']
  /** Runs `needle rollout` until it decides this and the BFF has heard of it; 30 seconds at the most. */
  readonly decides: (decision: string) => Promise<void>
}

export async function startLiveRollouts(
  options: { readonly probeIntervalMs?: number } = {},
): Promise<LiveRollouts> {
  const on = await createLiveEnvironment()
  const bff = await on.startBff({}, { report: true, ...options })
  return {
    on,
    bff,
    deploy: async () => {
      const says = await on.deploy()
      await bff.needle.refresh()
      return says
    },
    decides: async (decision) => {
      await vi.waitFor(
        async () => expect((await on.needle(['rollout'])).stdout).toContain(decision),
        { timeout: 30_000, interval: 500 },
      )
      await bff.needle.refresh()
    },
    [Symbol.asyncDispose]: () => on[Symbol.asyncDispose](),
  }
}

/** The configuration with a policy of one step, which is done with so many calls. */
export function policyDoneWith(minimumCalls: number, more: RolloutPolicy = {}): Files {
  const steps = [{ weightPercent: 50, bakeMs: 0 }]
  const rollout = { steps, analysis: { minimumCalls }, ...more }
  return { 'functions/needle.config.ts': configWith({ policies: { shop: { rollout } } }) }
}
