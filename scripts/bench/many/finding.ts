import type { Goal } from '../../goals.ts'

/** One line of the table: what was measured, what came out, and whether that is enough. */
export interface Finding extends Goal {
  readonly goal: string
  readonly isMet: boolean
  /** What is compared with the goal. */
  readonly figure: string
  /** What else came out, and what is in the figure and what is not; a line each. */
  readonly details: readonly string[]
  /** Too few launches to quote it. */
  readonly isPreliminary?: boolean
  /** For `--json`. */
  readonly data: unknown
}

/** What a measurement gets to do its work. */
export interface MeasureOptions {
  /** Fresh launches, or repetitions. */
  readonly rounds: number
  /** Of each load that is measured. */
  readonly durationMs: number
  /** Of loads that go before, so that the code is compiled that will be measured. */
  readonly warmUpMs: number
  readonly seed: number
  readonly onProgress: (text: string) => void
}
