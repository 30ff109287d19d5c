import { execFile } from 'node:child_process'
import path from 'node:path'
import { promisify } from 'node:util'
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
    's3://bucket/a/b?endpoint=http://127.0.0.1:9500&region=r&forcePathStyle=true&ifMatch=bare&requestTimeoutMs=500'
  expect(parseS3Url(url)).toEqual({
    bucket: 'bucket',
    prefix: 'a/b',
    endpoint: 'http://127.0.0.1:9500',
    region: 'r',
    forcePathStyle: true,
    ifMatchStyle: 'bare',
    requestTimeoutMs: 500,
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
    ['s3://bucket?requestTimeoutMs=soon', 'requestTimeoutMs'],
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

it('needs the S3 SDK only for s3 urls, and says how to install it', async () => {
  const hooks = `import { registerHooks } from 'node:module'
    registerHooks({ resolve(specifier, context, next) {
      if (!specifier.startsWith('@aws-sdk/')) return next(specifier, context)
      throw Object.assign(new Error('not installed'), { code: 'ERR_MODULE_NOT_FOUND' })
    } })`
  const withoutSdk = `data:text/javascript,${encodeURIComponent(hooks)}`
  const script = `
    const { openStore } = await import(${JSON.stringify(new URL('index.ts', import.meta.url))})
    await openStore('memory:')
    await openStore('s3://bucket').catch((error) => console.log(error.code, error.message))`
  const args = ['--conditions=needle-source', '--import', withoutSdk, '--input-type=module']
  const { stdout } = await promisify(execFile)(process.execPath, [...args, '--eval', script])
  expect(stdout).toMatch(/^OPTIONS_INVALID .*npm install @aws-sdk\/client-s3/)
})
