import type { Machine } from '../machine.ts'

/** An action that runs here as the real one would on GitHub. */
export interface PlayedAction {
  /** Inputs that are played; naming another one is an error. */
  readonly inputs: readonly string[]
  /** Does it and yields the outputs; throwing fails the step. Inputs not given are absent. */
  run(
    inputs: Readonly<Record<string, string>>,
    machine: Machine,
  ): Promise<Readonly<Record<string, string>>>
}
