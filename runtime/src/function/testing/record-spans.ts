import { context, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace'
import { afterAll, beforeAll, beforeEach } from 'vitest'

/**
 * A host that traces, for all tests of a file: tracers keep the first provider they meet. What is
 * exported is that of one test.
 */
export function recordSpans(): InMemorySpanExporter {
  const exporter = new InMemorySpanExporter()
  beforeAll(() => {
    const spanProcessors = [new SimpleSpanProcessor({ exporter })]
    trace.setGlobalTracerProvider(new TracerProvider({ spanProcessors }))
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  })
  beforeEach(() => exporter.reset())
  afterAll(() => {
    trace.disable()
    context.disable()
  })
  return exporter
}
