/**
 * Starts from a filled disk cache, loads nothing, and tells how long the event loop stood still at
 * once until everything was routed and the first poll was over.
 */
import { createRuntime } from '@needle-faas/runtime'
import { needleOptions } from '../../servers/needle-options.ts'
import { createTurnReporter } from './report-turns.ts'
import { silentLog } from './silent-log.ts'

const runtime = createRuntime({ ...needleOptions(), log: silentLog, report: false })
process.on('disconnect', () => void runtime.close().then(() => process.exit(0)))

await createTurnReporter().report(async () => {
  await runtime.start()
  await runtime.refresh()
})
const { manifest } = runtime.status()
if (manifest === null) throw new Error('It serves nothing: its disk cache was not filled.')
