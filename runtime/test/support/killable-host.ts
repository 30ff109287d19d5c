import { createRuntime } from '../../src/runtime.ts'
import { silentLog } from './silent-log.ts'

/** A host to be killed: `<bucket> <cache directory> <trust root>`; tells when it starts and which version has settled. */
const [bucket = '', cacheDirectory = '', trust = ''] = process.argv.slice(2)

const runtime = createRuntime({
  source: { store: `file:${bucket}`, cacheDirectory, pollIntervalMs: 10 },
  groups: ['shop'],
  trust,
  log: silentLog,
  report: false,
  onEvent: (event) => {
    if (event.type !== 'activated') return
    // A poll that begins now ends after the activation has reached the disk.
    void runtime.refresh().then(() => process.send?.({ settled: event.version }))
  },
})
process.send?.('starting')
await runtime.start()
setInterval(() => {}, 1000)
