import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { beforeEach, expect, it } from 'vitest'
import { createFileStore } from '../src/store/file.ts'
import { call } from './support/call.ts'
import { startRuntime } from './support/start-runtime.ts'
import { createTemporaryDirectory } from './support/temporary-directory.ts'
import { createTestEnvironment, type TestEnvironment } from './support/test-environment.ts'

let directory: string

beforeEach(async () => {
  directory = await createTemporaryDirectory()
})

const names = Array.from({ length: 4 }, (_, index) => `fn-${index}`)
const host = new URL('./support/killable-host.ts', import.meta.url)

/** A bucket and the cache of one instance that is killed again and again. */
async function createLane(name: string) {
  const at = (part: string): string => path.join(directory, name, part)
  const bucket = await createTestEnvironment(createFileStore(at('bucket')))
  await mkdir(at(''), { recursive: true })
  await writeFile(at('root.json'), bucket.trust.rootBytes)
  return { bucket, at }
}

type Lane = Awaited<ReturnType<typeof createLane>>

/** The next version of every function, each of which answers it. */
async function publishNext(bucket: TestEnvironment): Promise<void> {
  const handler = `async () => ${bucket.version + 1}`
  await bucket.publish(Object.fromEntries(names.map((name) => [name, handler])))
}

/**
 * Starts the host and kills it so long after its start, or once `version` is settled.
 *
 * @returns milliseconds it lived after its start
 */
async function runAndKill(
  { at }: Lane,
  end: { readonly afterMs: number } | { readonly version: number },
): Promise<number> {
  const child = fork(host, [at('bucket'), at('cache'), at('root.json')], {
    execArgv: ['--conditions=needle-source'],
    env: { ...process.env, NODE_COMPILE_CACHE: path.join(directory, 'compile-cache') },
  })
  const ended = once(child, 'exit')
  let startedAt = 0
  await new Promise<void>((resolve) => {
    child.on('message', (message) => {
      if (message === 'starting') startedAt = performance.now()
      if ('afterMs' in end && message === 'starting') setTimeout(resolve, end.afterMs)
      if ('version' in end && JSON.stringify(message) === `{"settled":${end.version}}`) resolve()
    })
    child.on('exit', () => resolve())
  })
  const livedMs = performance.now() - startedAt
  child.kill('SIGKILL')
  expect((await ended)[1]).toBe('SIGKILL')
  return livedMs
}

/** What every function answers after a start that cannot reach the store. */
async function startWithoutStore({ bucket, at }: Lane) {
  const source = { store: 'memory:', cacheDirectory: at('cache') }
  // On a busy machine a load may hardly get the processor for as long as it may take otherwise.
  const runtime = await startRuntime(bucket, { source, watchdog: { limitMs: 10_000 } })
  const answers = new Set<unknown>()
  for (const name of names) answers.add((await call(runtime, `/shop/${name}`)).body)
  const { manifest, functions } = runtime.status()
  await runtime.close()
  return {
    answers: [...answers],
    version: manifest?.version,
    refusals: functions.flatMap((each) => each.refusals),
  }
}

/** Kills at every step from before the first poll to after the activation. */
async function killRepeatedly(lane: Lane, kills: number): Promise<string[]> {
  await publishNext(lane.bucket)
  await runAndKill(lane, { version: 1 })
  expect(await startWithoutStore(lane)).toMatchObject({ version: 1 })
  await publishNext(lane.bucket)
  const wholeMs = await runAndKill(lane, { version: 2 })
  let proven = 2
  const booted: string[] = []
  for (let kill = 0; kill < kills; kill++) {
    await publishNext(lane.bucket)
    const { version: newest } = lane.bucket
    await runAndKill(lane, { afterMs: (wholeMs * 1.5 * kill) / kills })
    const { answers, version = 0, refusals } = await startWithoutStore(lane)
    expect({ answers, refusals }).toEqual({ answers: [version], refusals: [] })
    expect([proven, newest]).toContain(version)
    booted.push(version === newest ? 'new' : 'old')
    proven = version
  }
  return booted
}

it('boots without the store on a state proven whole, at whatever moment it was killed', async () => {
  const lanes = [await createLane('one'), await createLane('two')]
  const booted = (await Promise.all(lanes.map((lane) => killRepeatedly(lane, 10)))).flat()
  // Both ends were met, so what lies between them was.
  expect(booted).toHaveLength(20)
  expect(booted).toContain('old')
  expect(booted).toContain('new')
}, 240_000)
