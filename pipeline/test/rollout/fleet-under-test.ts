import { randomUUID } from 'node:crypto'
import {
  type FunctionState,
  type InstanceReport,
  objectKey,
  type ReportedFunction,
  type ReportedSide,
  type ReportedStep,
  type Rollout,
} from '@needle-faas/runtime/manifest'
import { type ArtifactStore, createMemoryStore } from '@needle-faas/runtime/store'
import {
  testReport,
  testReportedFunction,
} from '../../../runtime/src/manifest/testing/test-reports.ts'
import {
  type RolloutPlan,
  rolloutPlanOf,
  type RolloutPolicy,
} from '../../src/config/rollout-policy.ts'
import type { EnvironmentState } from '../../src/environment-state/environment-state.ts'
import { readEnvironment } from '../../src/environment-state/read-environment.ts'
import { toFunctionStates } from '../../src/plan/function-states.ts'
import type { PublishInput } from '../../src/plan/plan-publish.ts'
import type { Publisher } from '../../src/publish/publisher.ts'
import { type Controller, createController } from '../../src/rollout/controller.ts'
import {
  createTestTrust,
  type TestTrust,
} from '../../../runtime/src/manifest/testing/test-trust.ts'
import { createTestPublisher, publishCode } from '../publisher/environment-under-test.ts'

/** An environment with a store of its own time, a publisher, and instances that say what they are told. */
export interface FleetUnderTest {
  readonly trust: TestTrust
  readonly store: ArtifactStore
  readonly publisher: Publisher
  /** By the clock of the store, epoch milliseconds. */
  now(): number
  pass(durationMs: number): void
  /** Publishes exactly these functions, code by name, with one policy for all. Default `{}`. */
  publish(
    code: Readonly<Record<string, string>>,
    more?: Partial<PublishInput> & { readonly policy?: RolloutPolicy },
  ): Promise<void>
  /** A controller as a new process would be one. */
  controller(store?: ArtifactStore, more?: { skewMs?: number; prometheus?: string }): Controller
  state(): Promise<EnvironmentState>
  card(): Promise<FunctionState>
  /** An instance reports: what the newest manifest says, and what is given. */
  report(instance: string, said?: Said): Promise<void>
}

export interface Said {
  readonly stable?: ReportedSide
  readonly canary?: ReportedSide
  /** It stopped the canary on these counts. */
  readonly trips?: boolean
  readonly card?: Partial<ReportedFunction>
  readonly more?: Partial<InstanceReport>
  /** How wrong its clock is. */
  readonly skewMs?: number
}

export const minute = 60_000

export async function createFleetUnderTest(): Promise<FleetUnderTest> {
  let now = Date.parse('2026-11-22T10:00:00Z')
  const store = datedStore(createMemoryStore(), () => now)
  const trust = await createTestTrust()
  const publisherOn = (on: ArtifactStore, skewMs = 0): Publisher => ({
    ...createTestPublisher(trust, on),
    clock: { now: () => now + skewMs },
  })
  const publisher = publisherOn(store)
  const steps: Steps = new Map()
  const state = async (): Promise<EnvironmentState> =>
    (await readEnvironment(publisher.access)).state
  const card = async (): Promise<FunctionState> => {
    const found = toFunctionStates((await state()).groups).get('shop/card')
    if (found === undefined) throw new Error('no shop/card')
    return found
  }
  return {
    trust,
    store,
    publisher,
    now: () => now,
    pass: (durationMs) => void (now += durationMs),
    publish: async (code, { policy = {}, ...more } = {}) => {
      const plan = rolloutPlanOf({ policies: { shop: { rollout: policy } } }, 'shop/card')
      const policies = new Map<string, RolloutPlan>(
        plan === null ? [] : Object.keys(code).map((name) => [name, plan]),
      )
      await publishCode(publisher, trust, code, { policies, salt: randomUUID(), ...more })
    },
    controller: (on = store, { skewMs = 0, prometheus } = {}) =>
      createController({ publisher: publisherOn(on, skewMs), actor: 'needle rollout', prometheus }),
    state,
    card,
    report: async (instance, said = {}) => {
      const document = toReport(await state(), { instance, now, said, steps })
      const bytes = new TextEncoder().encode(JSON.stringify(document))
      await store.put(objectKey.instance('production', instance), bytes)
    },
  }
}

/** What an instance remembers of a rollout, by its name and the salt, as a runtime does. */
type Steps = Map<string, { readonly step: ReportedStep; readonly calls: number }>

function toReport(
  { newest, groups }: EnvironmentState,
  {
    instance,
    now,
    said,
    steps,
  }: {
    readonly instance: string
    readonly now: number
    readonly said: Said
    readonly steps: Steps
  },
): InstanceReport {
  const own = now + (said.skewMs ?? 0)
  const iso = (ageMs: number): string => new Date(own - ageMs).toISOString()
  if (newest === null) throw new Error('nothing was published')
  const stepOf = ({ salt, weightPercent }: Rollout, { calls }: ReportedSide): ReportedStep => {
    const key = `${instance} ${salt}`
    const known = steps.get(key)
    const isSame = known?.step.weightPercent === weightPercent
    const step = isSame ? known.step : { weightPercent, callsBefore: known?.calls ?? 0 }
    steps.set(key, { step, calls })
    return step
  }
  const { epoch, version, commit } = newest.manifest
  const functions = [...toFunctionStates(groups)].map(([name, { stable, rollout }]) => {
    const none = { calls: 0, faults: 0, slow: 0 }
    const counts = { stable: said.stable ?? none, canary: said.canary ?? none }
    const trip = {
      cause: 'errors' as const,
      at: iso(0),
      ...counts,
      slowLimitMs: null,
      evidence: 30_000,
    }
    const measured = rollout && {
      canary: rollout.canary.release,
      salt: rollout.salt,
      since: iso(10 * minute),
      measured: counts,
      step: stepOf(rollout, counts.canary),
      trip: said.trips ? trip : null,
    }
    const reported = testReportedFunction({
      stable: stable.release,
      canary: rollout?.canary.release ?? null,
      weightPercent: rollout?.weightPercent ?? 0,
      manifestVersion: version,
      ...(measured && { rollout: measured }),
      ...(name === 'shop/card' && said.card),
    })
    return [name, reported] as const
  })
  return testReport(instance, {
    reportedAt: iso(0),
    manifest: {
      epoch,
      version,
      digest: newest.digest,
      commit,
      activatedAt: iso(0),
      lagMs: 0,
    },
    functions: Object.fromEntries(functions),
    ...said.more,
  })
}

/** The same store, with the time of each write by a clock of its own. */
function datedStore(store: ArtifactStore, now: () => number): ArtifactStore {
  const writtenAt = new Map<string, number>()
  return {
    location: store.location,
    get: (key, options) => store.get(key, options),
    put: async (key, bytes, options) => {
      const result = await store.put(key, bytes, options)
      if (result.status === 'written') writtenAt.set(key, now())
      return result
    },
    async *list(prefix, options) {
      for await (const object of store.list(prefix, options)) {
        yield { ...object, modifiedAt: writtenAt.get(object.key) ?? 0 }
      }
    },
    delete: (key, options) => store.delete(key, options),
    close: () => store.close(),
  }
}
