import {
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3'
import { isRuntimeError } from '../errors.ts'
import type { ArtifactStore, GetResult, PutCondition, PutResult } from './artifact-store.ts'
import { createAnswerClock } from './answer-clock.ts'
import { resolveConditionalPut, type StoredState } from './conditional-put.ts'
import { readCapped } from './read-capped.ts'
import { s3Error, statusOf } from './s3-error.ts'
import { assertStoreKey } from './store-key.ts'

export interface S3StoreOptions {
  readonly bucket: string
  /** Keys go below `<prefix>/`. Default: the whole bucket. */
  readonly prefix?: string | undefined
  /** Of a store that is not AWS, such as `http://127.0.0.1:9500`. */
  readonly endpoint?: string | undefined
  /** Default: what the SDK finds in the environment; `us-east-1` when there is an endpoint. */
  readonly region?: string | undefined
  /** Bucket in the path instead of the host name. Default false. */
  readonly forcePathStyle?: boolean | undefined
  /** How the store wants etags in `If-Match`: AWS `quoted` (default), Ceph `bare`. `probeStore` finds out. */
  readonly ifMatchStyle?: 'quoted' | 'bare' | undefined
  /** Default: the SDK's chain (environment, profile, web identity, instance role). */
  readonly credentials?:
    | {
        readonly accessKeyId: string
        readonly secretAccessKey: string
        readonly sessionToken?: string
      }
    | undefined
  /** From the start of one operation to `STORE_TIMEOUT`, retries and body included. Default 15000. */
  readonly requestTimeoutMs?: number | undefined
}

/** Attempts per request the SDK makes, with its own jittered back-off. */
const maxAttempts = 3

/**
 * A store on an S3-compatible service. Conditional writes are atomic as far as the service is:
 * one that ignores conditions cannot be recognised from here, `probeStore` tells.
 */
export function createS3Store(options: S3StoreOptions): ArtifactStore {
  const { bucket, endpoint, ifMatchStyle = 'quoted', requestTimeoutMs = 15_000 } = options
  const prefix = options.prefix ? `${options.prefix.replace(/\/+$/, '')}/` : ''
  const location = `s3://${bucket}${prefix === '' ? '' : `/${prefix.slice(0, -1)}`}`
  const region = options.region ?? (endpoint === undefined ? undefined : 'us-east-1')
  const client = new S3Client({
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(region === undefined ? {} : { region }),
    ...(options.credentials === undefined ? {} : { credentials: options.credentials }),
    forcePathStyle: options.forcePathStyle ?? false,
    maxAttempts,
    // Digests are ours to check; other services refuse or misread the SDK's own checksums.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  })

  const clock = createAnswerClock()
  client.middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args)
      clock.note(result.response)
      return result
    },
    // Next to the wire, where an answer is none but an error yet.
    { step: 'deserialize', priority: 'low', name: 'needleAnswerClock' },
  )

  const objectOf = (key: string) => {
    assertStoreKey(key)
    return { Bucket: bucket, Key: prefix + key }
  }

  /** Runs one operation under its deadline and translates what it throws. */
  async function attempt<Result>(
    operation: { readonly key: string; readonly write: boolean },
    outer: AbortSignal | undefined,
    work: (signal: AbortSignal) => Promise<Result>,
  ): Promise<Result> {
    outer?.throwIfAborted()
    const deadline = AbortSignal.timeout(requestTimeoutMs)
    try {
      return await work(outer === undefined ? deadline : AbortSignal.any([outer, deadline]))
    } catch (error) {
      outer?.throwIfAborted()
      const timedOut = deadline.aborted
      throw s3Error(error, { ...operation, location, endpoint, timedOut, requestTimeoutMs })
    }
  }

  async function read(
    key: string,
    limits: { readonly maxBytes: number; readonly ifNoneMatch?: string | undefined },
    signal: AbortSignal,
  ): Promise<GetResult> {
    const { maxBytes, ifNoneMatch } = limits
    try {
      const answer = await client.send(
        new GetObjectCommand({ ...objectOf(key), IfNoneMatch: ifNoneMatch }),
        { abortSignal: signal },
      )
      const bytes = await readCapped(answer.Body, {
        key,
        maxBytes,
        expectedBytes: answer.ContentLength,
      })
      return { status: 'found', bytes, etag: answer.ETag ?? '' }
    } catch (error) {
      // The SDK throws a 304 as an exception without a telling name.
      if (statusOf(error) === 304) return { status: 'notModified' }
      if (error instanceof Error && error.name === 'NoSuchKey') return { status: 'missing' }
      throw error
    }
  }

  async function put(
    key: string,
    bytes: Uint8Array,
    condition: PutCondition | undefined,
    signal: AbortSignal,
  ): Promise<PutResult> {
    const answer = await client.send(
      new PutObjectCommand({
        ...objectOf(key),
        Body: bytes,
        ...(condition === 'absent' ? { IfNoneMatch: '*' } : {}),
        ...(typeof condition === 'object' ? { IfMatch: ifMatchOf(condition.etag) } : {}),
      }),
      { abortSignal: signal },
    )
    return { status: 'written', etag: answer.ETag ?? '' }
  }

  const ifMatchOf = (etag: string): string =>
    ifMatchStyle === 'bare' ? etag.replaceAll('"', '') : etag

  /** Null when nothing is stored; `bytes` null when more is stored than was to be written. */
  async function readForComparison(
    key: string,
    sizeBytes: number,
    signal: AbortSignal,
  ): Promise<StoredState | null> {
    const answer = await client
      .send(new GetObjectCommand(objectOf(key)), { abortSignal: signal })
      .catch((error: unknown) => {
        if (error instanceof Error && error.name === 'NoSuchKey') return null
        throw error
      })
    if (answer === null) return null
    const etag = answer.ETag ?? ''
    const bytes = await readCapped(answer.Body, {
      key,
      maxBytes: sizeBytes,
      expectedBytes: answer.ContentLength,
    }).catch((error: unknown) => {
      if (isRuntimeError(error, 'DOCUMENT_TOO_LARGE')) return null
      throw error
    })
    return { etag, bytes }
  }

  return {
    location,

    get: (key, { signal, ...limits }) =>
      attempt({ key, write: false }, signal, (deadline) => read(key, limits, deadline)),

    put: (key, bytes, { condition, signal } = {}) =>
      attempt({ key, write: true }, signal, (deadline) =>
        condition === undefined
          ? put(key, bytes, undefined, deadline)
          : resolveConditionalPut({
              bytes,
              condition,
              send: () => put(key, bytes, condition, deadline),
              stored: () => readForComparison(key, bytes.byteLength, deadline),
              signal: deadline,
            }),
      ),

    async *list(listed, { signal } = {}) {
      let token: string | undefined
      do {
        const page = await attempt({ key: listed, write: false }, signal, (deadline) =>
          client.send(
            new ListObjectsV2Command({
              Bucket: bucket,
              Prefix: prefix + listed,
              ContinuationToken: token,
            }),
            { abortSignal: deadline },
          ),
        )
        for (const { Key, Size, LastModified } of page.Contents ?? []) {
          if (Key === undefined || !Key.startsWith(prefix)) continue
          yield {
            key: Key.slice(prefix.length),
            sizeBytes: Size ?? 0,
            modifiedAt: LastModified?.getTime() ?? 0,
          }
        }
        token = page.IsTruncated === true ? page.NextContinuationToken : undefined
      } while (token !== undefined)
    },

    delete: (key, { signal } = {}) =>
      attempt({ key, write: true }, signal, async (deadline) => {
        await client.send(new DeleteObjectCommand(objectOf(key)), { abortSignal: deadline })
      }),

    clockOffsetMs: () => clock.offsetMs(),

    async close() {
      client.destroy()
    },
  }
}
