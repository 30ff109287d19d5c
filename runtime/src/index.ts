export { type Clock, systemClock } from './clock.ts'
export type { Dispatcher } from './dispatcher.ts'
export { isRuntimeError, RuntimeError, type RuntimeErrorCode, runtimeErrorCodes } from './errors.ts'
export type { Logger } from './function/authoring/function-context.ts'
export type { Call, CallErrorCode, Outcome } from './function/call.ts'
export type { InstanceReport } from './manifest/instance-report.ts'
export { instanceReportSchema } from './manifest/instance-report-schema.ts'
export { prometheusContentType } from './metrics/prometheus-text.ts'
export type { RouteMatch } from './routing/route-table.ts'
export { createRuntime, type IncomingCall, type Runtime } from './runtime.ts'
export type { RuntimeOptions, SourceOptions } from './runtime-options.ts'
export { stickyKeyHeader } from './sticky-key.ts'
export type {
  Alarm,
  FunctionStatus,
  RevisionCounts,
  RuntimeEvent,
  RuntimeStatus,
  StatusRefusal,
  WatchdogStatus,
} from './sync/status.ts'
