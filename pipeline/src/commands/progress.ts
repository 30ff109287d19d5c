import type { CommandIo } from './command.ts'

/** One piece of work that takes long enough for someone to wonder. */
export interface Step<Value> {
  readonly title: string
  /** `say` replaces what is shown next to the title while it runs. */
  readonly run: (say: (detail: string) => void) => Promise<Value>
}

/**
 * Runs a step and shows it on stderr: a spinner for people, one line at its start and one at its
 * end without a terminal. Rejects as the step does.
 */
export async function runStep<Value>(io: CommandIo, step: Step<Value>): Promise<Value> {
  const results = await runSteps(io, [
    { title: step.title, run: async (say) => ({ value: await step.run(say) }) },
  ])
  const [result] = results
  if (result === undefined) throw new TypeError(`"${step.title}" ended without a result`)
  return result.value
}

/** Runs steps at the same time; waits for all of them, then rejects with the first failure. */
export async function runSteps<Value>(
  io: CommandIo,
  steps: readonly Step<Value>[],
): Promise<readonly Value[]> {
  return io.isTerminal ? runWithSpinners(steps) : runWithLines(io, steps)
}

async function runWithSpinners<Value>(steps: readonly Step<Value>[]): Promise<readonly Value[]> {
  const { Listr, ListrLogger, ProcessOutput } = await import('listr2')
  const outcomes: PromiseSettledResult<Value>[] = []
  const list = new Listr<unknown>(
    steps.map(({ title, run }, index) => ({
      title,
      task: async (_context, task) => {
        const say = (detail: string): void => void (task.title = `${title}: ${detail}`)
        try {
          outcomes[index] = { status: 'fulfilled', value: await run(say) }
        } catch (reason) {
          outcomes[index] = { status: 'rejected', reason }
          throw reason
        }
      },
    })),
    {
      concurrent: true,
      exitOnError: false,
      registerSignalListeners: false,
      rendererOptions: {
        showErrorMessage: false,
        // stdout carries the result of a command and nothing else
        logger: new ListrLogger({
          processOutput: new ProcessOutput(process.stderr, process.stderr),
        }),
      },
    },
  )
  await list.run()
  return settled(outcomes)
}

async function runWithLines<Value>(
  io: CommandIo,
  steps: readonly Step<Value>[],
): Promise<readonly Value[]> {
  const outcomes = await Promise.allSettled(
    steps.map(async ({ title, run }) => {
      const startedAt = performance.now()
      const elapsed = (): string => `${((performance.now() - startedAt) / 1000).toFixed(1)} s`
      let last = ''
      io.stderr(`${title} …\n`)
      try {
        const value = await run((detail) => void (last = `: ${detail}`))
        io.stderr(`${title}${last} – done in ${elapsed()}\n`)
        return value
      } catch (error) {
        io.stderr(`${title}${last} – failed after ${elapsed()}\n`)
        throw error
      }
    }),
  )
  return settled(outcomes)
}

function settled<Value>(outcomes: readonly PromiseSettledResult<Value>[]): readonly Value[] {
  return outcomes.map((outcome) => {
    if (outcome.status === 'rejected') throw outcome.reason
    return outcome.value
  })
}
