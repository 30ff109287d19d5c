/** Bytes and the version tag under which the store keeps them. */
export interface StoredObject {
  readonly bytes: Uint8Array
  /** Opaque; only meaningful to the same store. */
  readonly etag: string
}

export type GetResult =
  | ({ readonly status: 'found' } & StoredObject)
  | { readonly status: 'notModified' }
  | { readonly status: 'missing' }

export interface GetOptions {
  /** Reading stops and `DOCUMENT_TOO_LARGE` is thrown once more bytes than this have arrived. */
  readonly maxBytes: number
  /** Answer `notModified` when the object still has this etag. */
  readonly ifNoneMatch?: string | undefined
  readonly signal?: AbortSignal | undefined
}

/** `absent`: only create. `{ etag }`: only replace exactly this version. */
export type PutCondition = 'absent' | { readonly etag: string }

export interface PutOptions {
  readonly condition?: PutCondition | undefined
  /**
   * False: it has to outlive this process, but not a power cut. Only a store on a disk makes a
   * difference. Default true.
   */
  readonly durable?: boolean | undefined
  readonly signal?: AbortSignal | undefined
}

/**
 * `conflict` says that the condition did not hold and something else is stored. A retry that meets
 * its own earlier write is `written`: after an unclear answer the store compares bytes.
 */
export type PutResult =
  | { readonly status: 'written'; readonly etag: string }
  | { readonly status: 'conflict' }

export interface ListOptions {
  readonly signal?: AbortSignal | undefined
}

export interface ListedObject {
  readonly key: string
  readonly sizeBytes: number
  /** Epoch milliseconds. */
  readonly modifiedAt: number
}

/**
 * The bucket as Needle needs it: whole small objects under keys with `/`, strongly consistent,
 * with conditional writes. One contract suite (`artifact-store.contract.ts`) holds every
 * implementation to this.
 *
 * All methods throw `RuntimeError` with `STORE_UNAVAILABLE`, `STORE_TIMEOUT`, `STORE_DENIED`,
 * `STORE_READ_ONLY` or `STORE_NOT_CONDITIONAL`, or the signal's reason when it aborts.
 */
export interface ArtifactStore {
  /** For people: `file:/var/lib/needle`, `s3://bucket/prefix`. Never holds credentials. */
  readonly location: string
  get(key: string, options: GetOptions): Promise<GetResult>
  put(key: string, bytes: Uint8Array, options?: PutOptions): Promise<PutResult>
  /** Every object whose key starts with `prefix`, in no particular order. */
  list(prefix: string, options?: ListOptions): AsyncIterable<ListedObject>
  /** The keys of `list`, where they are cheaper to have alone; see `listKeys`. */
  readonly keys?: (prefix: string, options?: ListOptions) => AsyncIterable<string>
  /** Idempotent: deleting what is not there is no error. */
  delete(key: string, options?: { readonly signal?: AbortSignal | undefined }): Promise<void>
  /**
   * How far the clock that dates objects is ahead of this machine's, in milliseconds, to about a
   * second, as of the newest answer. Null: no answer has told. Absent: it never does; a folder is
   * dated by this machine, or by whoever exports it.
   */
  readonly clockOffsetMs?: () => number | null
  close(): Promise<void>
}
