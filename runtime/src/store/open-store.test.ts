import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { openStore, parseS3Url } from './open-store.ts'

it.each([
  ['memory:', 'memory:'],
  ['file:/var/lib/needle', 'file:/var/lib/needle'],
  ['file:///var/lib/needle', 'file:/var/lib/needle'],
  ['file:./store', `file:${path.resolve('store')}`],
  ['s3://bucket?region=eu-central-1', 's3://bucket'],
  ['s3://bucket/some/prefix/?endpoint=http://127.0.0.1:9000', 's3://bucket/some/prefix'],
])('opens %s', async (url, location) => {
  const store = await openStore(url)
  expect(store.location).toBe(location)
  await store.close()
})

it('reads every parameter of an s3 url', () => {
  const url =
    's3://bucket/a/b?endpoint=http://127.0.0.1:9500&region=r&forcePathStyle=true&ifMatch=bare'
  expect(parseS3Url(url)).toEqual({
    bucket: 'bucket',
    prefix: 'a/b',
    endpoint: 'http://127.0.0.1:9500',
    region: 'r',
    forcePathStyle: true,
    ifMatchStyle: 'bare',
  })
})

describe('refuses with an example', () => {
  it.each([
    ['', 'scheme'],
    ['./store', 'scheme'],
    ['http://example.com', 'scheme'],
    ['file:', 'no directory'],
    ['file://host/path', 'absolute'],
    ['s3://', 'no bucket'],
    ['s3://bucket?endpoint=localhost:9500', 'endpoint'],
    ['s3://bucket?forcePathStyle=yes', 'forcePathStyle'],
    ['s3://bucket?ifMatch=none', 'ifMatch'],
    ['s3://bucket?Region=x', 'Region'],
    ['s3://bucket/%E0%A4%A', 'prefix'],
  ])('%j', async (url, fault) => {
    await expect(openStore(url)).rejects.toMatchObject({
      code: 'OPTIONS_INVALID',
      message: expect.stringMatching(new RegExp(`${fault}.*Examples: "file:`)),
    })
  })

  it('credentials in the url, without repeating them', async () => {
    const error: unknown = await openStore('s3://user:hunter2@bucket').catch(
      (thrown: unknown) => thrown,
    )
    expect(error).toMatchObject({ code: 'OPTIONS_INVALID' })
    expect(String(error)).toContain('AWS_ACCESS_KEY_ID')
    expect(String(error)).not.toContain('hunter2')
  })
})
