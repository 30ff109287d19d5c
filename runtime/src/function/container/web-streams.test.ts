import { expect, it } from 'vitest'
import { ContainerReadableStream, ContainerWritableStream, streamFrom } from './web-streams.ts'
import { wholeResponse } from './whole-response.ts'

async function read(stream: ReadableStream): Promise<unknown[]> {
  const chunks: unknown[] = []
  for await (const chunk of stream) chunks.push(chunk)
  return chunks
}

async function* twoNumbers() {
  yield* [1, 2]
}

async function* twoTexts() {
  yield* ['a', 'b'].map((text) => new TextEncoder().encode(text))
}

it('reads lists with promises in them, and asynchronous ones, as the host does', async () => {
  const list = [1, Promise.resolve(2)]
  expect(await read(ContainerReadableStream.from(list))).toEqual([1, 2])
  expect(await read(ContainerReadableStream.from(twoNumbers()))).toEqual([1, 2])
  expect(await read(ContainerReadableStream.from('ab'))).toEqual(['a', 'b'])
  for (const odd of [1, null, {}]) {
    expect(() => streamFrom(odd)).toThrow(TypeError)
  }
})

it('tells a list that it is read no more', async () => {
  let ended = false
  const later = async function* () {
    try {
      for (;;) yield 1
    } finally {
      ended = true
    }
  }
  for await (const _ of ContainerReadableStream.from(later())) break
  expect(ended).toBe(true)
})

it('hands a sink its chunks in order, and the writer what it throws', async () => {
  const seen: unknown[] = []
  const sink = {
    seen,
    write(chunk: unknown) {
      this.seen.push(chunk)
      if (chunk === 3) throw new RangeError('no more')
    },
  }
  const stream = new ContainerWritableStream(sink)
  expect(stream).toBeInstanceOf(WritableStream)
  const writer = stream.getWriter()
  const writes = await Promise.allSettled([1, 2, 3].map((chunk) => writer.write(chunk)))
  expect(writes.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected'])
  expect(seen).toEqual([1, 2, 3])
})

it('answers an asynchronous list', async () => {
  const response: unknown = Reflect.construct(wholeResponse(), [twoTexts()])
  expect(response instanceof Response && (await response.text())).toBe('ab')
})
