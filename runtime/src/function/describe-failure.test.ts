import { expect, it } from 'vitest'
import { createFailureDescriber } from './describe-failure.ts'
import { createSourcePositions } from './source-positions.ts'

const describeFailure = createFailureDescriber(
  createSourcePositions('shop/card@0', async () => null),
)

function failureWithStack(...frames: readonly string[]): Error {
  const error = new Error('no card')
  error.stack = ['Error: no card', ...frames.map((frame) => `    at ${frame}`)].join('\n')
  return error
}

it('shows the frames of the author and leaves out those between host and function', async () => {
  const own = new URL('../', import.meta.url).href
  const text = await describeFailure(
    failureWithStack(
      'handler (functions/shop/card/index.ts:9:31)',
      'async load (functions/shop/_shared/load.ts:3:7)',
      'Object.run (needle:realm:31:26)',
      `ActiveCall.enter (${own}function/active-call.ts:200:25)`,
      `${own}function/active-call.ts:166:60`,
      'Script.runInContext (node:vm:149:12)',
      'needle:limited-run:1:44',
    ),
  )
  expect(text.split('\n')).toEqual([
    'Error: no card',
    '    at handler (functions/shop/card/index.ts:9:31)',
    '    at async load (functions/shop/_shared/load.ts:3:7)',
  ])
})

it('shows frames in packages where their sources are', async () => {
  const map = { version: 3, sources: ['node_modules/pkg/index.js'], names: [], mappings: ';AAAA' }
  const describeMapped = createFailureDescriber(
    createSourcePositions('shop/card@0', async () => Buffer.from(JSON.stringify(map))),
  )
  const text = await describeMapped(failureWithStack('fail (needle:packages/0123456789ab:2:1)'))
  expect(text).toContain('at fail (node_modules/pkg/index.js:1:1)')
})

it('keeps what a function throws that is no error', async () => {
  expect(await describeFailure('at needle:realm')).toBe("'at needle:realm'")
})
