/** To the child that runs the unit tests. */
export interface TestRequest {
  /** Repository root. */
  readonly directory: string
  /** Folders whose tests run and whose coverage is measured, relative to the root. */
  readonly folders: readonly string[]
  /** A test file of which nothing is heard for so long is given up, and the run with it. */
  readonly stuckAfterMs: number
}

export interface TestFailure {
  /** Relative to the root. */
  readonly file: string
  readonly line?: number | undefined
  readonly column?: number | undefined
  /** Names of the test and the blocks around it; empty when the file itself failed. */
  readonly test: string
  readonly message: string
}

/** From the child: what came of it. */
export interface TestReport {
  readonly passed: number
  readonly failed: number
  readonly failures: readonly TestFailure[]
  /** Folders none of whose tests ran. */
  readonly untested: readonly string[]
  /** Lines of each folder that ran in its tests, in percent; a folder without code is missing. */
  readonly coveragePercent: Readonly<Record<string, number>>
}
