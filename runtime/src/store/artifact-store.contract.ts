import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ArtifactStore, ListedObject, PutResult } from './artifact-store.ts'
import { listKeys } from './list-keys.ts'

/** A store to try: opened once, with keys nobody else uses. */
export interface StoreUnderTest {
  /** Opens the same store once more, as another process would. */
  open(): Promise<ArtifactStore>
  close(): Promise<void>
}

/** What every `ArtifactStore` must do. Run it from the test file of each implementation. */
export function describeArtifactStore(name: string, prepare: () => Promise<StoreUnderTest>): void {
  describe(`${name} as an artifact store`, () => {
    let opened: StoreUnderTest
    let store: ArtifactStore
    let other: ArtifactStore
    beforeAll(async () => {
      opened = await prepare()
      store = await opened.open()
      other = await opened.open()
    })
    afterAll(async () => {
      await store.close()
      await other.close()
      await opened.close()
    })

    it('gives back the bytes it was given', async () => {
      const bytes = Uint8Array.from({ length: 256 }, (_, index) => index)
      const put = await store.put('basic/bytes.bin', bytes)
      const got = await other.get('basic/bytes.bin', { maxBytes: 256 })
      expect(got).toMatchObject({ status: 'found', etag: etagOf(put) })
      expect(bytesIn(got)).toEqual(bytes)
    })

    it('keeps an empty object', async () => {
      await store.put('basic/empty', new Uint8Array())
      expect(bytesIn(await other.get('basic/empty', { maxBytes: 0 }))).toHaveLength(0)
    })

    it('keeps a big object', async () => {
      const bytes = new Uint8Array(5 * 1024 * 1024).fill(7)
      await store.put('basic/big', bytes, { condition: 'absent' })
      const got = await other.get('basic/big', { maxBytes: bytes.byteLength })
      expect(Buffer.compare(bytesIn(got), bytes)).toBe(0)
    })

    it('overwrites without a condition, under a new etag', async () => {
      const first = await store.put('basic/overwritten', text('one'))
      const second = await store.put('basic/overwritten', text('two'))
      expect(etagOf(second)).not.toBe(etagOf(first))
      expect(await textAt(other, 'basic/overwritten')).toBe('two')
    })

    it('says that a key is missing', async () => {
      expect(await store.get('missing/key', { maxBytes: 1 })).toEqual({ status: 'missing' })
      expect(await store.get('missing/key', { maxBytes: 1, ifNoneMatch: '"x"' })).toEqual({
        status: 'missing',
      })
    })

    it('deletes, also what is not there', async () => {
      await store.put('deleted/key', text('x'))
      await store.delete('deleted/key')
      await store.delete('deleted/key')
      expect(await other.get('deleted/key', { maxBytes: 1 })).toEqual({ status: 'missing' })
    })

    it.each([
      'odd/space and+plus',
      'odd/per%cent%2Fslash',
      'odd/ünïcödé-🪡',
      'odd/#hash?query&amp="quote\'',
      'odd/(paren)*!~',
      'odd/.hidden/..dots',
      'odd/back\\slash:colon',
      `odd/${'long'.repeat(40)}`,
    ])('keeps the odd key %s apart', async (key) => {
      await store.put(key, text(key))
      expect(await textAt(other, key)).toBe(key)
      expect((await listed(other, key)).map((entry) => entry.key)).toEqual([key])
    })

    it.each([
      '',
      '/',
      'a//b',
      'a/',
      '/a',
      '../a',
      'a/../b',
      'a/.',
      'a\nb',
      'a\0b',
      'x'.repeat(1025),
    ])('refuses %j as a key', async (key) => {
      const refused = expect.objectContaining({ code: 'OPTIONS_INVALID' })
      await expect(store.get(key, { maxBytes: 1 })).rejects.toEqual(refused)
      await expect(store.put(key, text('x'))).rejects.toEqual(refused)
      await expect(store.delete(key)).rejects.toEqual(refused)
    })

    describe('conditional read', () => {
      it('answers notModified to the current etag', async () => {
        const put = await store.put('polled/key', text('one'))
        const again = { maxBytes: 3, ifNoneMatch: etagOf(put) }
        expect(await other.get('polled/key', again)).toEqual({ status: 'notModified' })
      })

      it('answers the object to an old etag', async () => {
        const old = await store.put('polled/changed', text('one'))
        await store.put('polled/changed', text('two'))
        const got = await other.get('polled/changed', { maxBytes: 3, ifNoneMatch: etagOf(old) })
        expect(got.status).toBe('found')
      })
    })

    describe('size cap', () => {
      it('lets through exactly that many bytes', async () => {
        await store.put('capped/fits', text('12345'))
        expect((await store.get('capped/fits', { maxBytes: 5 })).status).toBe('found')
      })

      it('refuses one more, naming the key', async () => {
        await store.put('capped/over', text('123456'))
        await expect(store.get('capped/over', { maxBytes: 5 })).rejects.toMatchObject({
          code: 'DOCUMENT_TOO_LARGE',
          message: expect.stringContaining('capped/over'),
        })
      })
    })

    describe('create if absent', () => {
      it('creates once', async () => {
        const absent = { condition: 'absent' } as const
        expect(await store.put('created/once', text('mine'), absent)).toHaveProperty('etag')
        expect(await other.put('created/once', text('theirs'), absent)).toEqual({
          status: 'conflict',
        })
        expect(await textAt(store, 'created/once')).toBe('mine')
      })

      it('takes a retry that meets its own write for written', async () => {
        const first = await store.put('created/retried', text('mine'), { condition: 'absent' })
        const retry = await other.put('created/retried', text('mine'), { condition: 'absent' })
        expect(retry).toEqual({ status: 'written', etag: etagOf(first) })
      })

      it('has exactly one winner among many, and it is what is stored', async () => {
        for (let round = 0; round < 10; round += 1) {
          const key = `created/race-${round}`
          const results = await race(16, (writer) =>
            (writer % 2 === 0 ? store : other).put(key, text(`writer ${writer}`), {
              condition: 'absent',
            }),
          )
          expect(results.filter(({ result }) => result.status === 'written')).toHaveLength(1)
          const winner = results.find(({ result }) => result.status === 'written')?.writer
          expect(await textAt(store, key)).toBe(`writer ${winner}`)
        }
      })
    })

    describe('replace if unchanged', () => {
      it('replaces the version it names', async () => {
        const { etag } = await created(store, 'replaced/fresh', 'old')
        const put = await other.put('replaced/fresh', text('new'), { condition: { etag } })
        expect(put.status).toBe('written')
        expect(await textAt(store, 'replaced/fresh')).toBe('new')
      })

      it('works with the etag of a read, too', async () => {
        await created(store, 'replaced/read', 'old')
        const got = await other.get('replaced/read', { maxBytes: 3 })
        const etag = got.status === 'found' ? got.etag : ''
        const put = await other.put('replaced/read', text('new'), { condition: { etag } })
        expect(put.status).toBe('written')
      })

      it('refuses to replace another version', async () => {
        const { etag } = await created(store, 'replaced/stale', 'old')
        await other.put('replaced/stale', text('newer'))
        expect(await store.put('replaced/stale', text('late'), { condition: { etag } })).toEqual({
          status: 'conflict',
        })
        expect(await textAt(store, 'replaced/stale')).toBe('newer')
      })

      it('refuses to replace what is gone', async () => {
        const { etag } = await created(store, 'replaced/gone', 'old')
        await other.delete('replaced/gone')
        expect(await store.put('replaced/gone', text('late'), { condition: { etag } })).toEqual({
          status: 'conflict',
        })
        expect((await store.get('replaced/gone', { maxBytes: 9 })).status).toBe('missing')
      })

      it('takes a retry that meets its own write for written', async () => {
        const { etag } = await created(store, 'replaced/retried', 'old')
        await store.put('replaced/retried', text('new'), { condition: { etag } })
        const retry = await other.put('replaced/retried', text('new'), { condition: { etag } })
        expect(retry.status).toBe('written')
      })

      it('has exactly one winner among many', async () => {
        for (let round = 0; round < 10; round += 1) {
          const key = `replaced/race-${round}`
          const { etag } = await created(store, key, 'old')
          const results = await race(16, (writer) =>
            (writer % 2 === 0 ? store : other).put(key, text(`writer ${writer}`), {
              condition: { etag },
            }),
          )
          expect(results.filter(({ result }) => result.status === 'written')).toHaveLength(1)
        }
      })
    })

    describe('list', () => {
      it('yields every object below a prefix, with size and time, and no other', async () => {
        const before = Date.now()
        for (const key of ['list/a/1', 'list/a/2/deep', 'list/ab', 'list/b/1']) {
          await store.put(key, text(key))
        }
        const entries = await listed(other, 'list/a/')
        expect(entries.map(({ key }) => key).toSorted()).toEqual(['list/a/1', 'list/a/2/deep'])
        expect(entries.find(({ key }) => key === 'list/a/1')?.sizeBytes).toBe(8)
        for (const { modifiedAt } of entries) {
          expect(Math.abs(modifiedAt - before)).toBeLessThan(60_000)
        }
      })

      it('dates what is written now by the time that it tells, to two seconds', async () => {
        await store.put('list/dated', text('now'))
        const [entry] = await listed(store, 'list/dated')
        const offsetMs = store.clockOffsetMs === undefined ? 0 : store.clockOffsetMs()
        if (offsetMs === null || entry === undefined) throw new Error('it tells no time')
        expect(Math.abs(entry.modifiedAt - (Date.now() + offsetMs))).toBeLessThan(2_000)
      })

      it('takes a prefix that ends within a name', async () => {
        const entries = await listed(other, 'list/a')
        expect(entries.map(({ key }) => key).toSorted()).toEqual([
          'list/a/1',
          'list/a/2/deep',
          'list/ab',
        ])
      })

      it('is empty for an unknown prefix', async () => {
        expect(await listed(store, 'nowhere/')).toEqual([])
      })

      it('gives the same keys alone', async () => {
        for (const prefix of ['list/a', 'list/a/', 'nowhere/']) {
          const keys = (await listed(other, prefix)).map(({ key }) => key)
          expect((await keysAlone(other, prefix)).toSorted()).toEqual(keys.toSorted())
        }
      })

      it('goes on past a thousand objects', async () => {
        const count = 1_005
        const numbers = Array.from({ length: count }, (_, index) => index)
        for (let first = 0; first < count; first += 67) {
          await Promise.all(
            numbers.slice(first, first + 67).map((n) => store.put(`many/${n}`, text('x'))),
          )
        }
        const keys = new Set((await listed(other, 'many/')).map(({ key }) => key))
        expect(keys.size).toBe(count)
      }, 60_000)
    })

    describe('an aborted signal', () => {
      const reason = new Error('changed my mind')
      const signal = AbortSignal.abort(reason)

      it('stops every operation with its reason', async () => {
        await expect(store.get('aborted/a', { maxBytes: 1, signal })).rejects.toBe(reason)
        await expect(store.put('aborted/a', text('x'), { signal })).rejects.toBe(reason)
        await expect(store.delete('aborted/a', { signal })).rejects.toBe(reason)
        await store.put('aborted/b', text('x'))
        await expect(listed(store, 'aborted/', signal)).rejects.toBe(reason)
        await expect(keysAlone(store, 'aborted/', signal)).rejects.toBe(reason)
      })

      it('leaves nothing behind', async () => {
        expect((await store.get('aborted/a', { maxBytes: 1 })).status).toBe('missing')
      })
    })

    it('says where it is', () => {
      expect(store.location).toMatch(/^(memory|file|s3):/)
    })
  })
}

const text = (value: string): Uint8Array => new TextEncoder().encode(value)

function bytesIn(got: Awaited<ReturnType<ArtifactStore['get']>>): Uint8Array {
  if (got.status !== 'found') throw new Error(`expected an object, got ${got.status}`)
  return Uint8Array.from(got.bytes)
}

async function textAt(store: ArtifactStore, key: string): Promise<string> {
  return new TextDecoder().decode(bytesIn(await store.get(key, { maxBytes: 10_000 })))
}

function etagOf(put: PutResult): string {
  if (put.status !== 'written') throw new Error('expected a write, got a conflict')
  return put.etag
}

async function created(
  store: ArtifactStore,
  key: string,
  value: string,
): Promise<{ readonly etag: string }> {
  return { etag: etagOf(await store.put(key, text(value), { condition: 'absent' })) }
}

async function keysAlone(
  store: ArtifactStore,
  prefix: string,
  signal?: AbortSignal,
): Promise<string[]> {
  const keys: string[] = []
  for await (const key of listKeys(store, prefix, { signal })) keys.push(key)
  return keys
}

async function listed(
  store: ArtifactStore,
  prefix: string,
  signal?: AbortSignal,
): Promise<ListedObject[]> {
  const entries: ListedObject[] = []
  for await (const entry of store.list(prefix, { signal })) entries.push(entry)
  return entries
}

async function race(
  writers: number,
  write: (writer: number) => Promise<PutResult>,
): Promise<{ readonly writer: number; readonly result: PutResult }[]> {
  return Promise.all(
    Array.from({ length: writers }, async (_, writer) => ({ writer, result: await write(writer) })),
  )
}
