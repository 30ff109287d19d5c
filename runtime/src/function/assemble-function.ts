import type { Clock } from '../clock.ts'
import { RuntimeError } from '../errors.ts'
import { CallMetrics } from '../metrics/call-metrics.ts'
import type { Settings } from '../manifest/settings.ts'
import { ActiveCalls } from './active-calls.ts'
import type { Bulkhead } from './bulkhead.ts'
import type { Logger } from './authoring/function-context.ts'
import type { PlainSchemas } from './container/plain-schema.ts'
import type { Definition } from './container/read-definition.ts'
import type { Realm } from './container/realm.ts'
import { spanOptions } from './call-span.ts'
import type { DeadlineWheel } from './deadline-wheel.ts'
import { createFailureDescriber } from './describe-failure.ts'
import type { LoadedFunction } from './loaded-function.ts'
import { toOfferedService } from './offered-service.ts'
import { functionOf } from './revision.ts'
import { createSourcePositions, type SourcePositions } from './source-positions.ts'

export interface FunctionParts {
  /** Names the revision to callers and in the log. */
  readonly id: string
  readonly settings: Settings
  readonly definition: Pick<Definition, 'input' | 'output' | 'handler'>
  /** What its schemas say in plain terms. */
  readonly plain: PlainSchemas
  readonly realm: Realm
  /** All the host offers; the function gets those its settings name. */
  readonly services: Readonly<Record<string, unknown>>
  /** What the runtime says about the function. */
  readonly log: Logger
  /** What the function itself says. Default: `log`. */
  readonly authorLog?: Logger | undefined
  readonly clock: Clock
  readonly wheel: DeadlineWheel
  /** Shared by all revisions of the function. Default: one of its own. */
  readonly bulkhead?: Bulkhead | undefined
  /** Default: counters of its own. */
  readonly metrics?: CallMetrics | undefined
  /** Path below which the host serves functions. Default: none. */
  readonly prefix?: string | undefined
  /** Default: those of the code that runs. */
  readonly positions?: SourcePositions | undefined
  /** Longest silence of a streaming answer before it is cut. Default 30 000. */
  readonly streamIdleMs?: number | undefined
}

/**
 * What calls of a function share, made of its parts: the same whether an artifact serves or a test
 * calls the source.
 *
 * @throws RuntimeError `SERVICE_MISSING`
 */
export function assembleFunction(parts: FunctionParts): LoadedFunction {
  const { id, settings, definition, plain, realm, log, clock, wheel } = parts
  const bareHeaders = Object.freeze({ 'x-needle-revision': id })
  return {
    id,
    settings,
    realm,
    steps: realm.createSteps({
      ...definition,
      fitsInput: plain.input && realm.createFitCheck(plain.input),
      fitsOutput: plain.output && realm.createFitCheck(plain.output),
      writeOutput: plain.output && realm.createJsonWriter(plain.output),
    }),
    checksInput: definition.input !== null,
    checksOutput: definition.output !== null,
    services: pickServices(id, settings.uses, parts.services),
    log,
    authorLog: parts.authorLog ?? log,
    clock,
    wheel,
    metrics: parts.metrics ?? new CallMetrics(),
    active: new ActiveCalls(settings, parts.bulkhead),
    isRunaway: false,
    probation: null,
    span: { name: functionOf(id), options: spanOptions(id, settings, parts.prefix ?? '') },
    jsonHeaders: Object.freeze({
      'content-type': 'application/json; charset=utf-8',
      ...bareHeaders,
    }),
    bareHeaders,
    streamIdleMs: parts.streamIdleMs ?? 30_000,
    describeFailure: createFailureDescriber(
      parts.positions ?? createSourcePositions(id, async () => null),
    ),
  }
}

function pickServices(
  id: string,
  uses: readonly string[],
  offered: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const services: Record<string, unknown> = Object.create(null)
  for (const name of uses) {
    if (!Object.hasOwn(offered, name)) {
      throw new RuntimeError(
        'SERVICE_MISSING',
        `${id} uses the service "${name}", which this host does not offer. Add it to the "services" option.`,
        { details: { revision: id, service: name, offered: Object.keys(offered) } },
      )
    }
    services[name] = toOfferedService(offered[name])
  }
  return Object.freeze(services)
}
