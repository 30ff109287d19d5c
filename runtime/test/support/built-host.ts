import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { setTimeout as delay } from 'node:timers/promises'
import { quietOptions } from './quiet-options.ts'
import { createTestEnvironment } from './test-environment.ts'

/** `<directory>`: serves a function with the runtime that was built there, has the watchdog stop it, and prints how that went. */
const [directory = ''] = process.argv.slice(2)

const built: typeof import('../../src/index.ts') = await import(
  pathToFileURL(join(directory, 'index.js')).href
)
const environment = await createTestEnvironment()
await environment.publish({ loop: 'async () => { for (;;); }' })
const runtime = built.createRuntime(
  quietOptions(environment, { watchdog: { limitMs: 100 }, probationCalls: 0 }),
)
await runtime.start()
while (runtime.status().watchdog.mode !== 'stopping') await delay(10)
const { status, errorCode } = await runtime.handle({
  requestId: 'loops',
  method: 'GET',
  url: '/shop/loop',
  headers: {},
  body: null,
  caller: {},
})
process.stdout.write(JSON.stringify({ status, errorCode }))
await runtime.close()
