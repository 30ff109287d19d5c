import type { SpanOptions } from '@opentelemetry/api'
import type { Clock } from '../clock.ts'
import type { Settings } from '../manifest/settings.ts'
import type { ActiveCalls } from './active-calls.ts'
import type { Logger } from './authoring/function-context.ts'
import type { CallSteps, Realm } from './container/realm.ts'
import type { DeadlineWheel } from './deadline-wheel.ts'
import type { OutcomeHeaders } from './outcome.ts'
import type { CallMetrics } from '../metrics/call-metrics.ts'
import type { Probation } from './probation.ts'

/** What every call of one revision shares. Built once at load. */
export interface LoadedFunction {
  readonly id: string
  readonly settings: Settings
  readonly realm: Realm
  readonly steps: CallSteps
  /** Whether it has a schema for its input, and for its output. */
  readonly checksInput: boolean
  readonly checksOutput: boolean
  readonly services: Readonly<Record<string, unknown>>
  /** What the runtime says about the function: never dropped, since answers refer to it. */
  readonly log: Logger
  readonly authorLog: Logger
  readonly clock: Clock
  readonly wheel: DeadlineWheel
  readonly metrics: CallMetrics
  /** Its calls; each in it until its slot is free, with the outcome or at the end of its stream. */
  readonly active: ActiveCalls
  /** Whether it is out of service, as it held the event loop. */
  isRunaway: boolean
  /** Null once it is proven. */
  probation: Probation | null
  /** Of the span of each call. */
  readonly span: { readonly name: string; readonly options: SpanOptions }
  /** Of a JSON answer, and of one without a body. */
  readonly jsonHeaders: OutcomeHeaders
  readonly bareHeaders: OutcomeHeaders
  /** Longest silence of a streaming answer. */
  readonly streamIdleMs: number
  /** Renders what the function threw, for the log only. */
  describeFailure(thrown: unknown): Promise<string>
}
