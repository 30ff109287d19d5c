import { styleText } from 'node:util'
import { seconds } from '../playground/report.ts'

/** Prints each step of the story with the time it took, and remembers whether all went well. */
export interface Narrator {
  /** Runs a step; what it returns is printed after its time. A step that throws ends the story. */
  readonly step: (title: string, action: () => Promise<string>) => Promise<void>
  readonly chapter: (title: string) => void
  readonly stepsDone: number
}

export function createNarrator(print: (line: string) => void): Narrator {
  let stepsDone = 0
  return {
    async step(title, action) {
      const started = performance.now()
      try {
        const detail = await action()
        stepsDone += 1
        const took = seconds(performance.now() - started).padStart(8)
        print(`  ${styleText('green', '✓')} ${took}  ${title}`)
        if (detail !== '') print(styleText('dim', detail.replaceAll(/^/gm, ' '.repeat(14))))
      } catch (error) {
        print(`  ${styleText('red', '✗')}           ${title}`)
        throw error
      }
    },
    chapter: (title) => print(`\n${styleText('bold', title)}`),
    get stepsDone() {
      return stepsDone
    },
  }
}
