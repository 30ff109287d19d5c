import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { Settings } from '../manifest/settings.ts'
import { systemClock } from '../clock.ts'
import { ActiveCall } from './active-call.ts'
import { assembleFunction } from './assemble-function.ts'
import type { FunctionDefinition } from './authoring/define-function.ts'
import type { Caller, FunctionContext, Logger } from './authoring/function-context.ts'
import type { ServiceName } from './authoring/services.ts'
import type { Call, Outcome } from './call.ts'
import { composeSettings } from './container/compose-settings.ts'
import { createRealm } from './container/realm.ts'
import { toPlainSchemas } from './container/plain-schema.ts'
import { deriveContract } from './container/derive-contract.ts'
import { readDefinition } from './container/read-definition.ts'
import { type ExampleRequest, toExampleCall } from './example-call.ts'
import { createDeadlineWheel } from './deadline-wheel.ts'

/** A request as a test says it; what is absent is empty. */
export type TestCall<Uses extends ServiceName = never> = ExampleRequest & {
  readonly caller?: Caller
  /** Aborts when the client goes away. */
  readonly signal?: AbortSignal
  /** Default: `console`, so that the cause of a 500 is seen. */
  readonly log?: Logger
} & ([Uses] extends [never]
    ? { readonly services?: Readonly<Record<string, unknown>> }
    : { readonly services: FunctionContext<Uses>['services'] })

/** What the client would get. Headers have names in lower case. */
export type TestResult<Body = unknown> = {
  readonly status: number
  readonly headers: Outcome['headers']
} & (
  | {
      readonly errorCode: null
      /** JSON is parsed, everything else is text, null is no body. */
      readonly body: Body
    }
  | {
      /** The code of an `HttpError`, or the runtime's own: `INPUT_INVALID`, `FUNCTION_TIMEOUT`… */
      readonly errorCode: string
      readonly body: ErrorBody
    }
)

/** The body of every error answer. */
export interface ErrorBody {
  readonly error: {
    readonly code: string
    readonly message: string
    readonly details?: unknown
    /** Of a 500: what joins it to the log. */
    readonly id?: string
  }
}

type PlainFunction = (input: never, context: FunctionContext) => unknown

type BodyOf<Output> = Output extends StandardSchemaV1
  ? StandardSchemaV1.InferOutput<Output>
  : unknown

/**
 * Calls a function's default export as a host would call its revision: input merged and validated,
 * deadline armed, output validated and serialised, errors mapped, by the very code that serves in
 * production. Two things differ: it runs in the test's own realm, with all its globals, and a stream
 * is read to its end before the result is there.
 *
 * @throws RuntimeError `FUNCTION_BAD_DEFINITION`, `FUNCTION_SCHEMA_INEXPRESSIBLE`, or
 *   `SERVICE_MISSING` when `services` lacks one of `uses`
 * @throws the error that cuts a streaming answer short
 */
export async function callFunction<
  Input extends StandardSchemaV1 | undefined,
  Output extends StandardSchemaV1 | undefined,
  Uses extends ServiceName = never,
>(
  definition: FunctionDefinition<Input, Output, Uses> | PlainFunction,
  request: TestCall<Uses>,
): Promise<TestResult<BodyOf<Output>>>
export async function callFunction(definition: unknown, request: TestCall): Promise<TestResult> {
  const { declared, ...parts } = readDefinition(functionName, definition)
  const settings = composeSettings(functionName, declared)
  // Refuses, as a build does, schemas that JSON Schema cannot say.
  deriveContract({ functionName, input: parts.input, output: parts.output })
  const loaded = assembleFunction({
    id: `${functionName}@000000000000`,
    settings,
    definition: parts,
    plain: toPlainSchemas(parts),
    realm: ownRealm,
    services: request.services ?? {},
    log: request.log ?? console,
    clock: systemClock,
    wheel,
  })
  const call = toCall(request, settings.http)
  const outcome = await new Promise<Outcome>((onOutcome) => {
    new ActiveCall(call, loaded, onOutcome).start()
  })
  return toResult(outcome)
}

const functionName = 'test/function'
const wheel = createDeadlineWheel()
/** There is only one here. */
const ownRealm = createRealm(null)

function toCall(request: TestCall, http: Settings['http']): Call {
  const { signal, caller = {} } = request
  return { ...toExampleCall(request, http), requestId: 'test', caller, signal }
}

async function toResult({ status, headers, body, errorCode }: Outcome): Promise<TestResult> {
  const text = body === null ? null : await new Response(body).text()
  const isJson = /^application\/([\w.-]+\+)?json\b/.test(String(headers['content-type']))
  return { status, headers, errorCode, body: text !== null && isJson ? JSON.parse(text) : text }
}
