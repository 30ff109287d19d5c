import { styleText } from 'node:util'
import type { Finding } from './finding.ts'

/** Prints each line of the table with its goal, whether it is met, and what is in it. */
export function printFindings(findings: readonly Finding[]): void {
  for (const { what, goal, isMet, isPreliminary, figure, details } of findings) {
    const verdict = isMet ? styleText('green', 'met') : styleText('red', 'NOT met')
    const caution = isPreliminary === true ? ', but fewer than 10 rounds are too few to say so' : ''
    console.log(`
${what}
  ${styleText('bold', figure)}   goal ${goal}: ${verdict}${caution}`)
    for (const detail of details) console.log(`  ${detail}`)
  }
}
