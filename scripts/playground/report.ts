import { styleText } from 'node:util'
import type { Deployment, Phase } from './deploy.ts'
import type { Push } from './deploy-loop.ts'

/** One line for a push that arrived. */
export function reportPush({ commit, subject, author }: Push): void {
  console.log(`\n${styleText('cyan', '→')} push ${commit.slice(0, 7)} by ${author}: ${subject}`)
}

/** What each phase of a deployment took; of a failed one also what its command said. */
export function reportDeployment(deployment: Deployment): void {
  const times = Object.entries(deployment.runs)
    .map(([phase, run]) => `${phase} ${seconds(run.durationMs)}`)
    .join(' · ')
  if (deployment.failed === null) {
    console.log(`${styleText('green', '✓')} published (${times})`)
    console.log(indent(deployment.runs.publish?.output ?? ''))
    return
  }
  console.log(`${styleText('red', '✗')} ${refusal[deployment.failed]} (${times})`)
  console.log(indent(deployment.runs[deployment.failed]?.output ?? ''))
}

const refusal: Record<Phase, string> = {
  plan: 'could not be planned; nothing changed',
  check: 'refused by its checks; nothing changed',
  build: 'could not be built; nothing changed',
  publish: 'not (wholly) published',
}

export function seconds(durationMs: number): string {
  return `${(durationMs / 1000).toFixed(2)} s`
}

function indent(text: string): string {
  return text.replaceAll(/^/gm, '    ')
}
