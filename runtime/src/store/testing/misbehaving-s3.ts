import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createS3Store, type S3StoreOptions } from '../s3.ts'
import type { ArtifactStore } from '../artifact-store.ts'

export type Misbehaviour = (
  request: IncomingMessage & { readonly body: Buffer },
  response: ServerResponse,
) => void

export interface MisbehavingS3 {
  /** `http://127.0.0.1:<port>` */
  readonly endpoint: string
  /** Bucket `bucket` on it, with a deadline of 1.5 s per operation. */
  readonly store: ArtifactStore
  /** The same with other options. */
  open(options?: Partial<S3StoreOptions>): ArtifactStore
  /** `METHOD path` of everything asked. */
  readonly requests: readonly string[]
  close(): Promise<void>
}

/** A server on loopback that answers S3 requests as `behave` does, for what real stores do wrong. */
export async function startMisbehavingS3(behave: Misbehaviour): Promise<MisbehavingS3> {
  const requests: string[] = []
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url?.split('?')[0]}`)
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () =>
      behave(Object.assign(request, { body: Buffer.concat(chunks) }), response),
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new Error('no port')
  const endpoint = `http://127.0.0.1:${address.port}`
  const open = (options: Partial<S3StoreOptions> = {}): ArtifactStore =>
    createS3Store({
      bucket: 'bucket',
      endpoint,
      forcePathStyle: true,
      credentials: { accessKeyId: 'key', secretAccessKey: 'secret' },
      requestTimeoutMs: 1_500,
      ...options,
    })
  const store = open()
  return {
    endpoint,
    store,
    open,
    requests,
    async close() {
      await store.close()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** An S3 error answer. */
export function answerError(response: ServerResponse, status: number, code: string): void {
  response.writeHead(status, { 'content-type': 'application/xml' })
  response.end(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>${code}</Message></Error>`)
}
