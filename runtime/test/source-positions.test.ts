import { describe, expect, it } from 'vitest'
import type { Logger } from '../src/function/authoring/function-context.ts'
import { bundle } from '../src/function/testing/revision-fixture.ts'
import type { RuntimeEvent } from '../src/index.ts'
import { objectKey } from '../src/manifest/object-key.ts'
import { call } from './support/call.ts'
import { silentLog } from './support/silent-log.ts'
import { startRuntime } from './support/start-runtime.ts'
import { createTestEnvironment } from './support/test-environment.ts'

interface LogLine {
  readonly message: string
  readonly fields: Record<string, unknown>
}

/** Serves `card` as its author wrote it; its source map may be gone from the store. */
async function serve(typescript: string, { hasMap = true } = {}) {
  const bucket = await createTestEnvironment()
  const { source, map } = await bundle(typescript)
  const card = await bucket.release('shop/card', '', { script: source, sourceMap: map })
  if (!hasMap) await bucket.store.delete(objectKey.sourceMap(card.artifact))
  await bucket.publish({ card })
  const events: RuntimeEvent[] = []
  const lines: LogLine[] = []
  const log: Logger = {
    ...silentLog,
    error: (message, fields = {}) => void lines.push({ message, fields }),
  }
  const onEvent = (event: RuntimeEvent): void => void events.push(event)
  const runtime = await startRuntime(bucket, { log, onEvent })
  const told = (type: RuntimeEvent['type']): string[] =>
    events.flatMap((event) => (event.type === type && 'message' in event ? event.message : []))
  return { runtime, lines, told }
}

describe('a failure nobody awaits points to the line of the author', () => {
  it.each([
    ['a timer', `setTimeout(() => {\n  throw new Error('stray') }, 1)`],
    ['a rejection', `Promise.reject(\n  new Error('stray'))`],
  ])('%s', async (_, left) => {
    const { runtime, lines, told } = await serve(
      `interface Nothing {}\nexport default async () => { ${left}; return {} }`,
    )
    await call(runtime)
    await expect.poll(() => told('strayFailure')).toHaveLength(1)
    const [message] = told('strayFailure')
    expect(message).toMatch(/^Error: stray\n {4}at .*index\.ts:3:\d+/)
    expect(message).not.toMatch(/needle:|active-call|create-timers/)
    expect(lines).toMatchObject([{ fields: { message } }])
  })

  it('and to that of the bundle when its source map is gone', async () => {
    const { runtime, told } = await serve(
      `export default async () => { Promise.reject(new Error('stray')); return {} }`,
      { hasMap: false },
    )
    await call(runtime)
    await expect
      .poll(() => told('strayFailure'))
      .toEqual([expect.stringMatching(/^Error: stray\n.*needle:\/\/\/shop\/card@\w+\.js:\d+:\d+/)])
  })
})

describe('a load that throws names the line of the author', () => {
  const throwing = `interface Nothing {}
    export default async () => 1
    throw new Error('too late')`

  it('in its refusal, its event and the log', async () => {
    const { runtime, lines, told } = await serve(throwing)
    const message = expect.stringMatching(
      /^shop\/card@\w+ threw while loading: Error: too late \(.*index\.ts:3:11\)$/,
    )
    expect(runtime.status().functions[0]?.refusals).toMatchObject([{ message }])
    expect(told('functionRefused')).toEqual([message])
    expect(lines).toMatchObject([{ fields: { message } }])
  })

  it('or that of the artifact when its source map is gone', async () => {
    const { told } = await serve(throwing, { hasMap: false })
    expect(told('functionRefused')).toEqual([
      expect.stringMatching(/: Error: too late \(needle:\/\/\/shop\/card@\w+\.js:\d+:\d+\)$/),
    ])
  })

  it.each([
    ['a text', `throw 'too late'`, /: too late$/],
    ['an object without text', `throw Object.create(null)`, /\[Object: null prototype\] \{\}$/],
    [
      'a getter of the stack that throws',
      `throw Object.defineProperty(new Error('too late'), 'stack', { get() { throw 1 } })`,
      /: Error: too late$/,
    ],
    [
      'causes in a circle',
      `const error = new Error('too late'); error.cause = error; throw error`,
      /: Error: too late \(.*index\.ts:1:\d+\)$/,
    ],
  ])('if it has one: %s', async (_, source, told) => {
    const { runtime } = await serve(`export default async () => 1; ${source}`)
    const [refusal] = runtime.status().functions[0]?.refusals ?? []
    expect(refusal?.message).toMatch(told)
  })
})

describe('an error in a line of log', () => {
  it.each<[string, (line: LogLine | undefined) => unknown]>([
    ['console.error(error)', (line) => line?.message],
    [`log.error('line', { error })`, (line) => line?.fields['error']],
    [`log.error('line', error)`, (line) => line?.fields['error']],
  ])('points to the line of the author once the map is there: %s', async (line, told) => {
    const { runtime, lines } = await serve(`interface Nothing {}
      export default async (input: unknown, { log }: any) => {
        const error = new Error('logged')
        ${line}
        return {}
      }`)
    await call(runtime)
    // Not after the map has come: lines keep their order.
    expect(lines).toHaveLength(1)
    const lastTold = () => told(lines.at(-1))
    expect(lastTold()).toMatch(/^Error: logged\n {4}at /)
    await expect
      .poll(async () => {
        await call(runtime)
        return lastTold()
      })
      .toMatch(/^Error: logged\n {4}at .*index\.ts:3:\d+/)
    expect(lastTold()).not.toMatch(/needle:|active-call/)
  })
})
