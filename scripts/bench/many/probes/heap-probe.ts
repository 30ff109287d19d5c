/**
 * Registers all functions, calls each once, makes as many bare contexts, and tells its parent how
 * much heap each of these left behind (`HeapUse`). Needs `--expose-gc`.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { constants, createContext } from 'node:vm'
import { createRuntime } from '@needle-faas/runtime'
import { needleOptions } from '../../servers/needle-options.ts'
import type { HeapUse } from '../heap.ts'
import { callMany } from './call-many.ts'
import { silentLog } from './silent-log.ts'

const before = await settled()
const runtime = createRuntime({ ...needleOptions(), log: silentLog, report: false })
await runtime.start()
await runtime.refresh()
const count = runtime.status().functions.length
const registered = await settled()
for (let index = 0; index < count; index++) await callMany(runtime, index)
const called = await settled()
const contexts = Array.from({ length: count }, () => createContext(constants.DONT_CONTEXTIFY))
const bare = await settled()

process.send?.({
  idle: (registered.heapUsed - before.heapUsed) / count,
  active: (called.heapUsed - registered.heapUsed) / count,
  bareContext: (bare.heapUsed - called.heapUsed) / contexts.length,
  activeRss: (called.rss - registered.rss) / count,
} satisfies HeapUse)
process.on('disconnect', () => void runtime.close().then(() => process.exit(0)))

async function settled(): Promise<NodeJS.MemoryUsage> {
  if (globalThis.gc === undefined) throw new Error('Start it with --expose-gc')
  for (let round = 0; round < 6; round++) {
    globalThis.gc()
    await delay(5)
  }
  return process.memoryUsage()
}
