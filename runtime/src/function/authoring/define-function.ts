import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { Probe } from '../../manifest/probe.ts'
import type { HttpMethod } from '../../manifest/settings.ts'
import type { FunctionContext } from './function-context.ts'
import type { Reply } from './reply.ts'
import type { ServiceName } from './services.ts'

type InputOf<Schema> = Schema extends StandardSchemaV1
  ? StandardSchemaV1.InferOutput<Schema>
  : unknown
type ResultOf<Schema> = Schema extends StandardSchemaV1
  ? StandardSchemaV1.InferInput<Schema>
  : unknown

/** Everything but `handler` is optional. */
export interface FunctionDefinition<
  Input extends StandardSchemaV1 | undefined = undefined,
  Output extends StandardSchemaV1 | undefined = undefined,
  Uses extends ServiceName = never,
> {
  /** Any Standard Schema; a failing input is a 400 with the issues. Without it the input is not checked. */
  readonly input?: Input
  /** Any Standard Schema; a failing output is a 500, never sent. Also serialises the response. */
  readonly output?: Output
  /** Default: `POST /<group>/<name>`. */
  readonly http?: { readonly method?: HttpMethod; readonly path?: string }
  /** Services the function may call. Default: none. */
  readonly uses?: readonly Uses[]
  /** Milliseconds from the start of a call to its 504. Default 3000. */
  readonly timeoutMs?: number
  /** Whether calling twice with the same input is harmless. Default: true for GET, else false. */
  readonly idempotent?: boolean
  /** Largest request body in bytes. Default 1 MiB. */
  readonly maxBodyBytes?: number
  /** Calls at once per instance; beyond it 503. Default 256. */
  readonly maxConcurrency?: number
  /** Further calls that may wait for their turn, within their deadline. Default 0. */
  readonly maxQueue?: number
  /**
   * Example calls that are safe to make at any time, without a user, as often as one likes: a canary
   * that nobody calls is judged by them. Only of an idempotent function. Default: none.
   */
  readonly probes?: readonly Probe[]
  /** A value is sent as JSON with 200; `reply(…)` and a web-standard `Response`, streams included, as they say. */
  readonly handler: (
    input: InputOf<Input>,
    context: FunctionContext<Uses>,
  ) => HandlerResult<ResultOf<Output>> | Promise<HandlerResult<ResultOf<Output>>>
}

export type HandlerResult<Value> = Value | Reply<Value> | Response

/** Returns the definition as it is; it exists for its types. Checked when the function is built. */
export function defineFunction<
  const Input extends StandardSchemaV1 | undefined = undefined,
  const Output extends StandardSchemaV1 | undefined = undefined,
  const Uses extends ServiceName = never,
>(definition: FunctionDefinition<Input, Output, Uses>): FunctionDefinition<Input, Output, Uses> {
  return definition
}
