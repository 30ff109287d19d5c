import { type ArtifactStore, createMemoryStore } from '@needle-faas/runtime/store'
import {
  answerError,
  type Misbehaviour,
  startMisbehavingS3,
} from '../../../runtime/src/store/testing/misbehaving-s3.ts'

/** What is wrong with the store. */
export type Fault =
  | 'none'
  /** Connections break. */
  | 'away'
  /** Answers nothing, ever. */
  | 'slow'
  /** Reads work, writes answer 403. */
  | 'read-only'
  /** Conditional writes answer 501. */
  | 'refuses-conditions'
  /** Conditional writes are done whatever their condition. */
  | 'ignores-conditions'
  /** Conditional replacements are refused whatever the etag, as Ceph does with quoted ones. */
  | 'refuses-etags'

export interface FaultyS3 {
  /** For `NEEDLE_STORE`. */
  readonly url: string
  /** What it holds, past every fault. */
  readonly contents: ArtifactStore
  fault: Fault
  /** How far its clock is ahead, in milliseconds: in its answers, and in the dates of its objects. */
  clockOffsetMs: number
  /** Told of each write before it is done; what it returns is waited for. */
  onWrite: (key: string) => void | Promise<void>
  /** Told of each read of an object. */
  onRead: (key: string) => void
  close(): Promise<void>
}

/** An S3 server on loopback whose faults can be switched on while it is used. */
export async function startFaultyS3(): Promise<FaultyS3> {
  const contents = createMemoryStore()
  let fault: Fault = 'none'
  const server = await startMisbehavingS3((request, response) => {
    response.setHeader('date', new Date(Date.now() + faulty.clockOffsetMs).toUTCString())
    const isConditional =
      request.headers['if-none-match'] === '*' || request.headers['if-match'] !== undefined
    if (fault === 'away') return void request.socket.destroy()
    if (fault === 'slow') return
    if (request.method !== 'GET') {
      if (fault === 'read-only') return answerError(response, 403, 'AccessDenied')
      if (fault === 'refuses-conditions' && isConditional) {
        return answerError(response, 501, 'NotImplemented')
      }
      if (fault === 'refuses-etags' && request.headers['if-match'] !== undefined) {
        return answerError(response, 412, 'PreconditionFailed')
      }
      if (fault === 'ignores-conditions') {
        delete request.headers['if-none-match']
        delete request.headers['if-match']
      }
    }
    void answer(contents, request, response, faulty)
  })
  const faulty: FaultyS3 = {
    url: `s3://bucket?endpoint=${server.endpoint}&forcePathStyle=true&requestTimeoutMs=3000`,
    contents,
    get fault() {
      return fault
    },
    set fault(next) {
      fault = next
    },
    clockOffsetMs: 0,
    onWrite: () => undefined,
    onRead: () => undefined,
    close: () => server.close(),
  }
  return faulty
}

async function answer(
  store: ArtifactStore,
  ...[request, response, faulty]: [...Parameters<Misbehaviour>, FaultyS3]
): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://bucket')
  const key = decodeURIComponent(url.pathname.split('/').slice(2).join('/'))
  const ifNoneMatch = request.headers['if-none-match']
  const ifMatch = request.headers['if-match']
  if (request.method === 'PUT') {
    await faulty.onWrite(key)
    const condition = ifNoneMatch === '*' ? 'absent' : ifMatch && { etag: ifMatch.slice(1, -1) }
    const result = await store.put(key, request.body, condition ? { condition } : {})
    if (result.status === 'conflict') return answerError(response, 412, 'PreconditionFailed')
    response.writeHead(200, { etag: `"${result.etag}"` }).end()
  } else if (request.method === 'DELETE') {
    await store.delete(key)
    response.writeHead(204).end()
  } else if (key === '') {
    const listed: string[] = []
    for await (const object of store.list(url.searchParams.get('prefix') ?? '')) {
      const modified = new Date(object.modifiedAt + faulty.clockOffsetMs).toISOString()
      listed.push(
        `<Contents><Key>${object.key}</Key><Size>${object.sizeBytes}</Size><LastModified>${modified}</LastModified></Contents>`,
      )
    }
    response.writeHead(200, { 'content-type': 'application/xml' })
    response.end(`<?xml version="1.0"?><ListBucketResult>${listed.join('')}</ListBucketResult>`)
  } else {
    faulty.onRead(key)
    const read = await store.get(key, { maxBytes: Number.MAX_SAFE_INTEGER })
    if (read.status !== 'found') return answerError(response, 404, 'NoSuchKey')
    const etag = `"${read.etag}"`
    if (ifNoneMatch === etag) response.writeHead(304).end()
    else response.writeHead(200, { etag }).end(read.bytes)
  }
}
