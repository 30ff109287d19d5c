import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { createRuntime } from '../../src/runtime.ts'
import { call } from './call.ts'
import { quietOptions } from './quiet-options.ts'
import { createTestEnvironment } from './test-environment.ts'

/** A host whose function leaves failures behind; `own` adds one of the host, `listener` what many hosts have. */
const mode = process.argv[2]

const bucket = await createTestEnvironment()
const stray = `async () => {
  Promise.reject(new Error('stray promise'))
  setTimeout(() => { throw new Error('stray timer') }, 1)
  queueMicrotask(() => { throw new Error('stray microtask') })
  globalThis.kept = new FinalizationRegistry(() => { throw new Error('stray finalizer') })
  kept.register({}, 0)
  return 1
}`
await bucket.publish({ card: stray })

const charged: string[] = []
const options = quietOptions(bucket, {
  onEvent: (event) => {
    if (event.type === 'strayFailure') {
      charged.push(
        /stray (promise|timer|microtask|finalizer)/.exec(event.message)?.[1] ?? event.message,
      )
    }
  },
})
const runtime = createRuntime(options)
await runtime.start()
if (mode === 'listener') {
  for (const event of ['unhandledRejection', 'uncaughtException']) {
    process.on(event, (error) => {
      process.stdout.write(`the host heard: ${error instanceof Error ? error.message : ''}\n`)
      process.exit(7)
    })
  }
}
const { body } = await call(runtime)
setFlagsFromString('--expose-gc')
runInNewContext('gc')()
await new Promise((resolve) => setTimeout(resolve, 100))
process.stdout.write(`${JSON.stringify({ body, charged: charged.toSorted() })}\n`)

if (mode !== undefined && mode !== 'stray') {
  void Promise.reject(new Error("the host's own"))
  await new Promise((resolve) => setTimeout(resolve, 1000))
  process.stdout.write('still alive\n')
}
await runtime.close()
