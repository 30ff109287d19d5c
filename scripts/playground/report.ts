import { styleText } from 'node:util'
import type { Deployment, Phase } from './deploy.ts'
import type { Push } from './deploy-loop.ts'

/** One line for a push that arrived. */
export function reportPush({ commit, subject, author }: Push): void {
  console.log(`\n${styleText('cyan', '→')} push ${commit.slice(0, 7)} by ${author}: ${subject}`)
}

/** Shows that something is going on: a phase takes seconds. */
export function reportPhase(phase: Phase): void {
  process.stdout.write(styleText('dim', phase === 'plan' ? '  plan …' : ` ${phase} …`))
  if (phase === 'publish') console.log()
}

/** What each phase of a deployment took, and what the last command said. */
export function reportDeployment(deployment: Deployment): void {
  const times = Object.entries(deployment.runs)
    .map(([phase, run]) => `${phase} ${seconds(run.durationMs)}`)
    .join(' · ')
  const { failed } = deployment
  if (failed !== null && failed !== 'publish') console.log()
  console.log(
    failed === null
      ? `${styleText('green', '✓')} published (${times})`
      : `${styleText('red', '✗')} ${refusal[failed]} (${times})`,
  )
  const run = deployment.runs[failed ?? 'publish']
  console.log(indent(run?.result || run?.output || ''))
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
