import { expect, it } from 'vitest'
import { artifactOf, loadFixture } from '../testing/revision-fixture.ts'
import { wouldLoadFetchClasses } from './fetch-classes.ts'

it('are sought by whole words', () => {
  expect(mentions('return new Response(null)')).toBe(true)
  expect(mentions('const { Headers: H } = globalThis')).toBe(true)
  expect(mentions('const isResponse = onRequest(responseHeaders)')).toBe(false)
})

it("are the host's, and may be replaced by a function, for itself alone", async () => {
  const own = artifactOf(`(() => {
    globalThis.Headers = class Own {}
    return async () => [typeof FormData, Headers.name, Object.keys(globalThis).includes('Headers')]
  })()`)
  const other = artifactOf('async () => new Response(new Headers({ a: "1" }).get("a"))')
  const { answer } = await loadFixture(own)
  expect(await answer()).toEqual({ status: 200, body: ['function', 'Own', false] })
  const { invoke } = await loadFixture(other)
  expect((await invoke()).status).toBe(200)
})

function mentions(source: string): boolean {
  return wouldLoadFetchClasses(Buffer.from(source))
}
