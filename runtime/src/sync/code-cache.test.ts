import * as v8 from 'node:v8'
import { expect, it } from 'vitest'
import { digestOf } from '../manifest/digest.ts'
import type { ArtifactStore } from '../store/artifact-store.ts'
import { createMemoryStore } from '../store/memory.ts'
import { createCodeCache } from './code-cache.ts'

const artifact = digestOf('source')
const code = Buffer.from('compiled')

async function keysOf(disk: ArtifactStore): Promise<string[]> {
  const keys: string[] = []
  for await (const { key } of disk.list('')) keys.push(key)
  return keys
}

it('gives back what was written, under engine and artifact', async () => {
  const disk = createMemoryStore()
  const cache = createCodeCache(disk)
  expect(await cache.read(artifact)).toBe(null)
  await cache.write(artifact, code)
  expect(Buffer.from((await cache.read(artifact)) ?? [])).toEqual(code)
  expect(await cache.read(digestOf('another source'))).toBe(null)
  expect(await keysOf(disk)).toEqual([expect.stringContaining(`code/${process.version}-`)])
})

it.each([
  ['altered', (bytes: Buffer) => Buffer.concat([bytes.subarray(0, -1), Buffer.from('x')])],
  ['truncated', (bytes: Buffer) => bytes.subarray(0, 20)],
  ['empty', () => Buffer.alloc(0)],
])('takes code that was %s for none', async (_, damage) => {
  const disk = createMemoryStore()
  const cache = createCodeCache(disk)
  await cache.write(artifact, code)
  const [key = ''] = await keysOf(disk)
  const found = await disk.get(key, { maxBytes: 1000 })
  if (found.status !== 'found') throw new Error('unreachable')
  await disk.put(key, damage(Buffer.from(found.bytes)))
  expect(await cache.read(artifact)).toBe(null)
})

it.each([
  ['version of Node', process.version],
  ['architecture', process.arch],
  ['build or flags of V8', String(v8.cachedDataVersionTag())],
])('does not read what lies there for another %s', async (_, ours) => {
  const disk = createMemoryStore()
  const cache = createCodeCache(disk)
  await cache.write(artifact, code)
  const [key = ''] = await keysOf(disk)
  const found = await disk.get(key, { maxBytes: 1000 })
  if (found.status !== 'found') throw new Error('unreachable')
  await disk.delete(key)
  await disk.put(key.replace(ours, 'another'), found.bytes)
  expect(await cache.read(artifact)).toBe(null)
})

it('keeps only what is wanted, and nothing of other engines', async () => {
  const disk = createMemoryStore()
  const cache = createCodeCache(disk)
  const other = digestOf('other')
  await cache.write(artifact, code)
  await cache.write(other, code)
  await disk.put('code/v1.0.0-x64-1/abc.bin', code)
  await disk.put('artifacts/abc.js', code)
  await cache.keepOnly(new Set([artifact]))
  expect(await keysOf(disk)).toHaveLength(2)
  expect(await cache.read(artifact)).not.toBe(null)
  expect(await cache.read(other)).toBe(null)
})

it('is without effect without a disk, and with one that fails', async () => {
  const failing: ArtifactStore = {
    ...createMemoryStore(),
    get: () => Promise.reject(new Error('broken')),
    put: () => Promise.reject(new Error('broken')),
    list: () => {
      throw new Error('broken')
    },
  }
  for (const disk of [null, failing]) {
    const cache = createCodeCache(disk)
    await cache.write(artifact, code)
    await cache.keepOnly(new Set())
    expect(await cache.read(artifact)).toBe(null)
  }
})
