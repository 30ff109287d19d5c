import { describe, expect, it } from 'vitest'
import { RuntimeError } from '../errors.ts'
import { digestOf } from '../manifest/digest.ts'
import { objectKey } from '../manifest/object-key.ts'
import type { ArtifactStore } from '../store/artifact-store.ts'
import { createMemoryStore } from '../store/memory.ts'
import { createReleasePack } from './release-pack.ts'

const packKey = 'releases.ndjson'
const { signal } = new AbortController()

async function putReleases(disk: ArtifactStore, count: number, about = ''): Promise<string[]> {
  const keys: string[] = []
  for (let index = 0; index < count; index++) {
    const bytes = Buffer.from(JSON.stringify({ payload: `${about}${index}` }))
    const key = objectKey.release(digestOf(bytes))
    await disk.put(key, bytes)
    keys.push(key)
  }
  return keys
}

const open = (disk: ArtifactStore) => createReleasePack(disk)

async function packOf(disk: ArtifactStore): Promise<string | null> {
  const found = await disk.get(packKey, { maxBytes: 1_000_000 })
  return found.status === 'found' ? Buffer.from(found.bytes).toString('utf8') : null
}

const broken = () => Promise.reject(new RuntimeError('STORE_UNAVAILABLE', 'broken'))

const keysIn = async (disk: ArtifactStore) => [...(await open(disk).read()).keys()]

describe('a release pack', () => {
  it('gives back the exact bytes of the releases it keeps', async () => {
    const disk = createMemoryStore()
    const keys = await putReleases(disk, 20)
    await open(disk).keep(keys, signal)
    const lines = await open(disk).read()
    expect([...lines.keys()].toSorted()).toEqual(keys.toSorted())
    for (const [key, line] of lines) {
      expect(await disk.get(key, { maxBytes: 1000 })).toMatchObject({ bytes: line })
    }
  })

  it('is not written for a few releases, which are as fast by themselves', async () => {
    const disk = createMemoryStore()
    await open(disk).keep(await putReleases(disk, 16), signal)
    expect(await packOf(disk)).toBe(null)
    expect(await keysIn(disk)).toEqual([])
  })

  it.each([
    ['stays as it is when 10 of 200 releases change', 10, false],
    ['is written anew when 11 of 200 releases change', 11, true],
  ])('%s', async (_title, changed, isWritten) => {
    const disk = createMemoryStore()
    const first = await putReleases(disk, 200)
    await open(disk).keep(first, signal)
    const before = await packOf(disk)
    const pack = open(disk)
    await pack.read()
    const others = await putReleases(disk, changed, 'other ')
    await pack.keep([...first.slice(changed), ...others], signal)
    expect((await packOf(disk)) !== before).toBe(isWritten)
  })

  it('is written anew without what is not wanted any more', async () => {
    const disk = createMemoryStore()
    const keys = await putReleases(disk, 100)
    const pack = open(disk)
    await pack.keep(keys, signal)
    await pack.keep(keys.slice(0, 50), signal)
    expect(await keysIn(disk)).toHaveLength(50)
  })

  it('leaves out what is damaged, missing or no single line', async () => {
    const disk = createMemoryStore()
    const keys = await putReleases(disk, 20)
    const [altered = '', gone = ''] = keys
    await disk.put(altered, Buffer.from('{}'))
    await disk.delete(gone)
    const twoLines = Buffer.from('{\n}')
    const spread = objectKey.release(digestOf(twoLines))
    await disk.put(spread, twoLines)
    await open(disk).keep([...keys, spread], signal)
    expect((await keysIn(disk)).toSorted()).toEqual(keys.slice(2).toSorted())
  })

  it('takes a file that was cut short as far as its lines are whole', async () => {
    const disk = createMemoryStore()
    const keys = await putReleases(disk, 20)
    await open(disk).keep(keys, signal)
    const whole = (await packOf(disk)) ?? ''
    await disk.put(packKey, Buffer.from(whole.slice(0, -5)))
    expect(await keysIn(disk)).toHaveLength(19)
  })

  it('does without where the disk fails', async () => {
    const disk = createMemoryStore()
    const keys = await putReleases(disk, 20)
    const failing = { ...disk, put: broken }
    await open(failing).keep(keys, signal)
    expect([...(await open({ ...failing, get: broken }).read())]).toEqual([])
  })
})
