/**
 * Starts from a filled disk cache, loads nothing, and tells how long the event loop stood still at
 * once until everything was routed and the first poll was over.
 */
import { createRuntime } from '@needle-faas/runtime'
import { needleOptions } from '../../servers/needle-options.ts'
import { createTurnReporter } from './report-turns.ts'
import { silentLog } from './silent-log.ts'

let hasPolled = false
let activatedFrom: 'disk' | 'store' | null = null
const runtime = createRuntime({
  ...needleOptions(),
  log: silentLog,
  report: false,
  onEvent: ({ type }) => {
    if (type === 'activated') activatedFrom ??= hasPolled ? 'store' : 'disk'
  },
})
process.on('disconnect', () => void runtime.close().then(() => process.exit(0)))

await createTurnReporter().report(async () => {
  await runtime.start()
  hasPolled = true
  await runtime.refresh()
  if (activatedFrom !== 'disk') throw new Error('Its disk cache was not filled.')
})
