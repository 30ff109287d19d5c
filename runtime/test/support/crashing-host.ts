import { createRuntime } from '../../src/runtime.ts'
import { call } from './call.ts'
import { silentLog } from './silent-log.ts'

/** A host to be crashed by what it serves: `<bucket> <cache directory> <trust root>`; calls what it is told to. */
const [bucket = '', cacheDirectory = '', trust = ''] = process.argv.slice(2)

const runtime = createRuntime({
  source: { store: `file:${bucket}`, cacheDirectory },
  groups: ['shop'],
  trust,
  log: silentLog,
  report: false,
  loadAhead: 0,
  // Memory must run out before time does.
  watchdog: false,
})
const tell = async (name: string): Promise<void> => {
  const { status, body } = await call(runtime, `/shop/${name}`)
  await runtime.refresh()
  process.send?.({ status, body, functions: runtime.status().functions })
}
process.on('message', (name: string) => void tell(name))
process.on('disconnect', () => void runtime.close())
await runtime.start()
await runtime.refresh()
process.send?.('ready')
