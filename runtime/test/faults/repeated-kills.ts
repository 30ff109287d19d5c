import { killRepeatedly } from './support/kill-repeatedly.ts'
import { nodeUnderTest } from './support/node-under-test.ts'

/**
 * `node --conditions=needle-source runtime/test/faults/repeated-kills.ts [kills] [limit in ms]`,
 * on another Node.js with `NEEDLE_FAULTS_NODE=26`.
 */
const [rounds = '1000', limitMs = '300'] = process.argv.slice(2)

process.stdout.write(`Node.js ${nodeUnderTest.version}, ${rounds} kills, limit ${limitMs} ms\n`)
const report = await killRepeatedly(Number(rounds), { limitMs: Number(limitMs) })
process.stdout.write(`${JSON.stringify(report, null, 2)}\n`)
