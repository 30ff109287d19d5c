import { expect, it } from 'vitest'
import { evaluateArtifact } from './evaluate-artifact.ts'
import { LoadCost } from './load-cost.ts'
import { artifactOf } from './testing/revision-fixture.ts'

const sleep = (ms: string): string =>
  `Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ${ms})`

/** What a top level of these statements exports or is refused for, and how often it was entered. */
async function evaluate(statements: string, loadTimeoutMs: number) {
  const lines: string[] = []
  const note = (line: string) => lines.push(line)
  const log = { debug: note, info: note, warn: note, error: note }
  const source = artifactOf(`(() => { console.info('entered'); ${statements}; return 'loaded' })()`)
  const result = await evaluateArtifact(
    { artifact: Buffer.from(source), compiled: null },
    { revision: 'shop/card@0123456789ab', log, loadTimeoutMs },
    new LoadCost(),
  ).then(
    ({ defaultExport }) => defaultExport,
    (error: unknown) => error,
  )
  return { result, entered: lines.length }
}

it('evaluates at once again what hardly had the processor while it ran out of time', async () => {
  const untilMs = Date.now() + 900
  const waiting = sleep(`Math.max(0, ${untilMs} - Date.now())`)
  expect(await evaluate(waiting, 600)).toEqual({ result: 'loaded', entered: 2 })
})

it('does so once', async () => {
  const { result, entered } = await evaluate(`for (;;) ${sleep('50')}`, 100)
  expect(result).toMatchObject({ code: 'FUNCTION_LOAD_TIMEOUT', details: { starved: true } })
  expect(entered).toBe(2)
})

it('does not evaluate again what computed all the time', async () => {
  const tries = []
  // A busy machine may starve one of them, but hardly all.
  for (let index = 0; index < 10; index++) tries.push(await evaluate('for (;;);', 100))
  expect(tries).toContainEqual({
    result: expect.objectContaining({ code: 'FUNCTION_LOAD_TIMEOUT' }),
    entered: 1,
  })
})
