import { killRepeatedly } from './support/kill-repeatedly.ts'

/** `node --conditions=needle-source runtime/test/faults/repeated-kills.ts [kills] [limit in ms]` */
const [rounds = '1000', limitMs = '300'] = process.argv.slice(2)

process.stdout.write(`Node.js ${process.version}, ${rounds} kills, limit ${limitMs} ms\n`)
const report = await killRepeatedly(Number(rounds), { limitMs: Number(limitMs) })
process.stdout.write(`${JSON.stringify(report, null, 2)}\n`)
