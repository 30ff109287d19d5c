import { afterEach, describe, expect, it } from 'vitest'
import { probeStore } from './conditional-probe.ts'
import { createS3Store } from './s3.ts'
import {
  answerError,
  type Misbehaviour,
  type MisbehavingS3,
  startMisbehavingS3,
} from './testing/misbehaving-s3.ts'

let server: MisbehavingS3
afterEach(() => server.close())

const bytes = new TextEncoder().encode('mine')
const absent = { condition: 'absent' } as const

async function storeThat(behave: Misbehaviour) {
  server = await startMisbehavingS3(behave)
  return server.store
}

/** A bucket in memory that `before` may answer for. */
function bucket(
  before: (...exchange: Parameters<Misbehaviour>) => boolean = () => false,
): Misbehaviour {
  const objects = new Map<string, Buffer>()
  return (request, response) => {
    if (before(request, response)) return
    const key = request.url?.split('?')[0] ?? ''
    if (request.method === 'PUT') objects.set(key, request.body)
    if (request.method === 'DELETE') objects.delete(key)
    const found = request.method === 'GET' ? objects.get(key) : Buffer.alloc(0)
    if (found === undefined) return answerError(response, 404, 'NoSuchKey')
    response.writeHead(200, { etag: `"${key.length}-${found.toString('hex').slice(0, 16)}"` })
    response.end(found)
  }
}

describe('a store that refuses conditional writes with 501', () => {
  it('says STORE_NOT_CONDITIONAL, at once', async () => {
    const store = await storeThat((_, response) => answerError(response, 501, 'NotImplemented'))
    await expect(store.put('a', bytes, absent)).rejects.toMatchObject({
      code: 'STORE_NOT_CONDITIONAL',
    })
    expect(server.requests).toEqual(['PUT /bucket/a'])
  })

  it('is found out by the probe', async () => {
    const store = await storeThat(
      bucket((request, response) => {
        const isConditional =
          request.headers['if-none-match'] === '*' || request.headers['if-match'] !== undefined
        if (isConditional) answerError(response, 501, 'NotImplemented')
        return isConditional
      }),
    )
    expect(await statuses(store)).toMatchObject({
      write: 'works',
      conditionalCreate: 'refused',
      conditionalReplace: 'refused',
    })
  })
})

it('a store that says 200 and ignores conditions is found out by the probe', async () => {
  const store = await storeThat(bucket())
  expect(await statuses(store)).toEqual({
    write: 'works',
    conditionalCreate: 'ignored',
    conditionalReplace: 'ignored',
    notModified: 'ignored',
  })
})

describe('a conditional write whose answer says nothing', () => {
  it.each([
    [409, 'ConditionalRequestConflict'],
    [412, 'PreconditionFailed'],
    [500, 'InternalError'],
  ])('%d with our own bytes stored was written', async (status, code) => {
    const store = await storeThat((request, response) => {
      if (request.method === 'PUT') return answerError(response, status, code)
      response.writeHead(200, { etag: '"stored"' }).end('mine')
    })
    expect(await store.put('a', bytes, absent)).toEqual({ status: 'written', etag: '"stored"' })
  })

  it.each([
    [409, 'ConditionalRequestConflict'],
    [412, 'PreconditionFailed'],
    [500, 'InternalError'],
  ])('%d with other bytes stored is a conflict', async (status, code) => {
    const store = await storeThat((request, response) => {
      if (request.method === 'PUT') return answerError(response, status, code)
      response.writeHead(200, { etag: '"stored"' }).end('somebody else was here first')
    })
    expect(await store.put('a', bytes, absent)).toEqual({ status: 'conflict' })
  })

  it('a broken connection with our own bytes stored was written', async () => {
    const store = await storeThat((request, response) => {
      if (request.method === 'PUT') return request.socket.destroy()
      return response.writeHead(200, { etag: '"stored"' }).end('mine')
    })
    expect(await store.put('a', bytes, absent)).toMatchObject({ status: 'written' })
  })

  it('409 with nothing stored is tried again', async () => {
    let refusals = 2
    const store = await storeThat(
      bucket((request, response) => {
        if (request.method !== 'PUT' || refusals === 0) return false
        refusals -= 1
        answerError(response, 409, 'ConditionalRequestConflict')
        return true
      }),
    )
    expect(await store.put('a', bytes, absent)).toMatchObject({ status: 'written' })
  })

  it('500 with nothing stored, again and again, is an error and no conflict', async () => {
    const store = await storeThat((request, response) =>
      request.method === 'PUT'
        ? answerError(response, 500, 'InternalError')
        : answerError(response, 404, 'NoSuchKey'),
    )
    await expect(store.put('a', bytes, absent)).rejects.toMatchObject({
      code: expect.stringMatching(/^STORE_(UNAVAILABLE|TIMEOUT)$/),
    })
  })
})

describe('a store that denies', () => {
  it('reading says STORE_DENIED and what is needed', async () => {
    const store = await storeThat((_, response) => answerError(response, 403, 'AccessDenied'))
    await expect(store.get('a', { maxBytes: 1 })).rejects.toMatchObject({
      code: 'STORE_DENIED',
      message: expect.stringMatching(/s3:GetObject/),
    })
  })

  it('writing says STORE_READ_ONLY and what is needed', async () => {
    const store = await storeThat((_, response) => answerError(response, 403, 'AccessDenied'))
    await expect(store.put('a', bytes)).rejects.toMatchObject({
      code: 'STORE_READ_ONLY',
      message: expect.stringMatching(/s3:PutObject/),
    })
    const [finding] = await probeStore(store)
    expect(finding).toMatchObject({ capability: 'write', status: 'failed' })
  })

  it.each(['SignatureDoesNotMatch', 'InvalidAccessKeyId'])(
    'for %s says STORE_DENIED, also when writing',
    async (code) => {
      const store = await storeThat((_, response) => answerError(response, 403, code))
      await expect(store.put('a', bytes, absent)).rejects.toMatchObject({ code: 'STORE_DENIED' })
    },
  )
})

describe('a store that is away', () => {
  it('for a moment is asked again', async () => {
    let failures = 1
    const store = await storeThat((_, response) => {
      if (failures-- > 0) return answerError(response, 503, 'SlowDown')
      response.writeHead(200, { etag: '"e"' }).end('here')
    })
    expect(await store.get('a', { maxBytes: 9 })).toMatchObject({ status: 'found', etag: '"e"' })
  })

  it('for long is STORE_UNAVAILABLE', async () => {
    const store = await storeThat((_, response) => answerError(response, 503, 'InternalError'))
    await expect(store.get('a', { maxBytes: 9 })).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
    })
  })

  it('altogether is STORE_UNAVAILABLE', async () => {
    await storeThat(() => undefined)
    const store = createS3Store({
      bucket: 'bucket',
      endpoint: 'http://127.0.0.1:1',
      credentials: { accessKeyId: 'key', secretAccessKey: 'secret' },
      forcePathStyle: true,
    })
    await expect(store.get('a', { maxBytes: 9 })).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      message: expect.stringContaining('ECONNREFUSED'),
    })
  })

  it('and says nothing is STORE_TIMEOUT', async () => {
    const store = await storeThat(() => undefined)
    await expect(store.get('a', { maxBytes: 9 })).rejects.toMatchObject({ code: 'STORE_TIMEOUT' })
  })

  it('and stops in the middle of a body is STORE_TIMEOUT', async () => {
    const store = await storeThat((_, response) => {
      response.writeHead(200, { 'content-length': '9' }).write('half')
    })
    await expect(store.get('a', { maxBytes: 9 })).rejects.toMatchObject({ code: 'STORE_TIMEOUT' })
  })

  it('and stops in the middle of a body is left at once when the caller gives up', async () => {
    const controller = new AbortController()
    const reason = new Error('changed my mind')
    const store = await storeThat((_, response) => {
      response.writeHead(200, { 'content-length': '9' })
      response.write('half', () => setTimeout(() => controller.abort(reason), 50))
    })
    const startedAt = performance.now()
    await expect(store.get('a', { maxBytes: 9, signal: controller.signal })).rejects.toBe(reason)
    expect(performance.now() - startedAt).toBeLessThan(1_000)
  })

  it('is left at once when the caller gives up', async () => {
    const controller = new AbortController()
    const reason = new Error('changed my mind')
    const store = await storeThat(() => controller.abort(reason))
    await expect(store.get('a', { maxBytes: 9, signal: controller.signal })).rejects.toBe(reason)
  })
})

describe('a body', () => {
  it('cut short is STORE_UNAVAILABLE, not a short object', async () => {
    const store = await storeThat((_, response) => {
      response.writeHead(200, { 'content-length': '9' }).write('half', () => response.destroy())
    })
    await expect(store.get('a', { maxBytes: 9 })).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
    })
  })

  it('that announces too much is refused unread', async () => {
    const store = await storeThat((_, response) => {
      response.writeHead(200, { 'content-length': '10' }).write('x')
    })
    await expect(store.get('a', { maxBytes: 9 })).rejects.toMatchObject({
      code: 'DOCUMENT_TOO_LARGE',
    })
  })

  it('without end is refused after as many bytes as are allowed', async () => {
    let sentBytes = 0
    const store = await storeThat((_, response) => {
      const chunk = Buffer.alloc(16 * 1024)
      const pump = (): void => {
        if (response.destroyed) return
        sentBytes += chunk.length
        response.write(chunk, pump)
      }
      pump()
    })
    await expect(store.get('a', { maxBytes: 100_000 })).rejects.toMatchObject({
      code: 'DOCUMENT_TOO_LARGE',
    })
    expect(sentBytes).toBeLessThan(10_000_000)
  })
})

it('a 304 is notModified whatever else it carries', async () => {
  const store = await storeThat((_, response) => void response.writeHead(304).end())
  expect(await store.get('a', { maxBytes: 9, ifNoneMatch: '"e"' })).toEqual({
    status: 'notModified',
  })
})

it('a bucket that does not exist is no empty bucket', async () => {
  const store = await storeThat((_, response) => answerError(response, 404, 'NoSuchBucket'))
  await expect(store.get('a', { maxBytes: 9 })).rejects.toMatchObject({
    code: 'STORE_UNAVAILABLE',
    message: expect.stringContaining('no such bucket'),
  })
  await expect(store.put('a', bytes, absent)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
})

it.each([
  ['quoted', '"old"'],
  ['bare', 'old'],
] as const)('If-Match goes out %s', async (ifMatchStyle, header) => {
  const seen: (string | undefined)[] = []
  await storeThat((request, response) => {
    seen.push(request.headers['if-match'])
    response.writeHead(200, { etag: '"new"' }).end()
  })
  const store = server.open({ ifMatchStyle })
  await store.put('a', bytes, { condition: { etag: '"old"' } })
  expect(seen).toEqual([header])
})

async function statuses(store: MisbehavingS3['store']): Promise<Record<string, string>> {
  const findings = await probeStore(store)
  return Object.fromEntries(findings.map(({ capability, status }) => [capability, status]))
}
