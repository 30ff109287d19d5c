import { fork } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { beforeEach, expect, it } from 'vitest'
import type { ReleaseRef } from '../src/manifest/group-document.ts'
import { testFunctionState } from '../src/manifest/testing/test-documents.ts'
import { createFileStore } from '../src/store/file.ts'
import { createTemporaryDirectory } from './support/temporary-directory.ts'
import { createTestEnvironment, type TestEnvironment } from './support/test-environment.ts'

let directory: string
let bucket: TestEnvironment

beforeEach(async () => {
  directory = await createTemporaryDirectory()
  bucket = await createTestEnvironment(createFileStore(at('bucket')))
  await writeFile(at('root.json'), bucket.trust.rootBytes)
})

const host = new URL('./support/crashing-host.ts', import.meta.url)
const exhaustMemory = '{ const all = []; for (;;) all.push(new Array(1e5).fill(all.length)) }'

const at = (part: string): string => path.join(directory, part)

/** Starts a host and calls the function; null when that was the end of the process. */
async function callOnce(name: string): Promise<unknown> {
  const child = fork(host, [at('bucket'), at('cache'), at('root.json')], {
    execArgv: ['--conditions=needle-source', '--max-old-space-size=80'],
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  })
  const ended = once(child, 'exit').then(() => null)
  if ((await Promise.race([once(child, 'message'), ended])) === null) return null
  child.send(name)
  const told = await Promise.race([once(child, 'message'), ended])
  if (child.connected) child.disconnect()
  await ended
  return told === null ? null : told[0]
}

const publish = (stable: ReleaseRef, previous: ReleaseRef) =>
  bucket.publish({ card: testFunctionState(stable, { previous: [previous] }) })

it.each([
  ['when it is called', { handler: `async () => ${exhaustMemory}` }],
  ['while it loads', { handler: '', script: `(() => ${exhaustMemory})()` }],
])(
  'a release that ends the process twice %s is not tried again: the proven one serves',
  async (_, { handler, ...options }) => {
    const proven = await bucket.release('shop/card', 'async () => ({ v: 1 })')
    await bucket.publish({ card: proven })
    expect(await callOnce('card')).toMatchObject({ status: 200, body: { v: 1 } })

    const crashing = await bucket.release('shop/card', handler, options)
    await publish(crashing, proven)
    expect(await callOnce('card')).toBe(null)
    expect(await callOnce('card')).toBe(null)
    expect(await callOnce('card')).toMatchObject({
      status: 200,
      body: { v: 1 },
      functions: [{ refusals: [{ code: 'FUNCTION_CRASHED' }] }],
    })

    const fixed = await bucket.release('shop/card', 'async () => ({ v: 3 })')
    await publish(fixed, proven)
    expect(await callOnce('card')).toMatchObject({ status: 200, body: { v: 3 } })
  },
  60_000,
)
