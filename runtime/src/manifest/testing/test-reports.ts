import type { InstanceReport, ReportedFunction } from '../instance-report.ts'

/** What an instance says that has just begun: ready, with no manifest and no function. */
export function testReport(
  instance: string,
  overrides: Partial<InstanceReport> = {},
): InstanceReport {
  return {
    specVersion: 1,
    environment: 'production',
    instance,
    reportedAt: '2026-01-01T00:00:00Z',
    startedAt: '2026-01-01T00:00:00Z',
    state: 'ready',
    frozen: false,
    manifest: null,
    refusal: null,
    functions: {},
    ...overrides,
  }
}

/** What it says of a function that it does not serve. */
export function testReportedFunction(overrides: Partial<ReportedFunction> = {}): ReportedFunction {
  return {
    stable: null,
    canary: null,
    weightPercent: 0,
    stopped: false,
    manifestVersion: null,
    refusals: [],
    ...overrides,
  }
}
