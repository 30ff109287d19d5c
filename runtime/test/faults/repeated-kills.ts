import { bindGoals } from '../../../scripts/goals.ts'
import { judgeKills, killRepeatedly } from './support/kill-repeatedly.ts'
import { nodeUnderTest } from './support/node-under-test.ts'

/**
 * `node --conditions=needle-source runtime/test/faults/repeated-kills.ts [kills] [limit in ms] [longest
 * wait of a bystander in ms]`, on another Node.js with `NEEDLE_FAULTS_NODE=26`. Exit code 1 when a goal
 * is missed or the process has ended.
 */
const [rounds = 1000, limitMs = 300, longestMs = limitMs + 200] = process.argv.slice(2).map(Number)

process.stdout.write(`Node.js ${nodeUnderTest.version}, ${rounds} kills, limit ${limitMs} ms\n`)
const report = await killRepeatedly(rounds, { limitMs })
process.stdout.write(`${JSON.stringify(report, null, 2)}\n`)
const goals = judgeKills(report, rounds, longestMs)
for (const { what, goal, isMet } of goals) {
  process.stderr.write(`${what}, goal ${goal}: ${isMet === true ? 'met' : 'missed'}\n`)
}
bindGoals(goals)
