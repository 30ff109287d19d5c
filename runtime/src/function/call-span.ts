import {
  context,
  ProxyTracerProvider,
  type Span,
  SpanKind,
  type SpanOptions,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api'
import type { Settings } from '../manifest/settings.ts'
import type { Call, Outcome } from './call.ts'

const tracerName = '@needle-faas/runtime'
const tracer = trace.getTracer(tracerName)
const provider = trace.getTracerProvider()
/** What stands in for the SDK the host may bring later; null when it was there before us. */
const proxy = provider instanceof ProxyTracerProvider ? provider : null
let hasSdk = proxy === null

/**
 * Whether the host has brought an SDK, whenever it did. The API answers every question without one
 * too, with an empty span per call: that took 4 % of the throughput of a small function.
 */
function isTraced(): boolean {
  return (hasSdk ||= proxy?.getDelegateTracer(tracerName) !== undefined)
}

/**
 * What every span of a revision begins with, named as OpenTelemetry's semantic conventions for FaaS
 * have it: a route begins with what the host serves functions below. Built once at load.
 */
export function spanOptions(
  revision: string,
  { http }: Pick<Settings, 'http'>,
  prefix: string,
): SpanOptions {
  const [name = revision, version = ''] = revision.split('@')
  return Object.freeze({
    kind: SpanKind.INTERNAL,
    attributes: Object.freeze({
      'faas.name': name,
      'faas.version': version,
      'faas.trigger': 'http',
      'http.route': `${prefix}${http.path}`,
    }),
  })
}

/** One call in a trace, from its arrival, time in the queue included, to the end of its answer. */
export interface CallSpan {
  readonly traceId: string
  /** Runs `enter`, and all it starts, with this span as the active one. */
  run(enter: () => void): void
  onOutcome(outcome: Pick<Outcome, 'status' | 'errorCode' | 'functionFault'>): void
  end(): void
}

/** A child of the active span; null when nobody records it. */
export function startCallSpan(
  { name, options }: { readonly name: string; readonly options: SpanOptions },
  call: Pick<Call, 'requestId' | 'isCold'>,
): CallSpan | null {
  if (!isTraced()) return null
  const span = tracer.startSpan(name, options)
  return span.isRecording() ? toCallSpan(span, call) : null
}

function toCallSpan(
  span: Span,
  { requestId, isCold }: Pick<Call, 'requestId' | 'isCold'>,
): CallSpan {
  span.setAttribute('faas.invocation_id', requestId)
  if (isCold === true) span.setAttribute('faas.coldstart', true)
  const active = trace.setSpan(context.active(), span)
  return {
    get traceId() {
      return span.spanContext().traceId
    },
    run: (enter) => context.with(active, enter),
    onOutcome: ({ status, errorCode, functionFault }) => {
      span.setAttribute('http.response.status_code', status)
      if (errorCode !== null) span.setAttribute('error.type', errorCode)
      // A caller's mistake is no error of the function's span.
      if (functionFault) span.setStatus({ code: SpanStatusCode.ERROR })
    },
    end: () => span.end(),
  }
}

/** Of the trace the running code belongs to; undefined outside of one. */
export function currentTraceId(): string | undefined {
  return trace.getActiveSpan()?.spanContext().traceId
}
