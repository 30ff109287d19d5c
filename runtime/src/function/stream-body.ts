import { AsyncLocalStorage } from 'node:async_hooks'
import { microtask } from './microtask.ts'
import { nextTurn } from './next-turn.ts'
import { toStreamError } from './to-stream-error.ts'

/** How the body of a streaming answer is passed on. */
export interface StreamBodyEvents {
  /** A chunk went out, or the client asked for more: the stream is not idle. */
  onProgress(): void
  /** The function ended the stream. */
  onEnd(): void
  onError(error: unknown): void
  /** The client went away. */
  onCancel(): void
}

/** A body that is being opened. */
export interface OpeningBody {
  /** Rejects with what the source rejects with before its first chunk. */
  readonly opened: Promise<StreamBody>
  /** Nobody wants it any more: the source is cancelled, whatever it is at. */
  readonly abandon: (reason: unknown) => Promise<void>
}

export type StreamBody =
  | { readonly kind: 'whole'; readonly bytes: Uint8Array | null }
  | {
      readonly kind: 'stream'
      readonly stream: ReadableStream<Uint8Array>
      /** Ends the stream with an error, on both sides. */
      readonly fail: (error: Error) => void
    }

/**
 * Reads `source` up to its first chunk. A body that ends there is returned whole, so that it gets a
 * length; otherwise a stream that starts with that chunk and pulls the rest as the client reads.
 * Text chunks become UTF-8.
 *
 * @throws TypeError when somebody reads the source already
 */
export function openStreamBody(
  source: ReadableStream<unknown>,
  events: StreamBodyEvents,
): OpeningBody {
  const reader = source.getReader()
  // Whoever reads the answer is the host; what the function does for it stays charged to the call.
  const snapshot = AsyncLocalStorage.snapshot()
  // From a bare microtask: within the snapshot itself, and under a socket's callback, the watchdog
  // could not end a loop. Nor need the reader be the host's: that of a subclass may throw at once.
  const withinCall: StreamParts['withinCall'] = (run) => snapshot(() => microtask.then(run))
  // The source may be the very thing that hangs or throws; the call is over either way.
  const abandon = async (reason: unknown): Promise<void> => {
    // Should it have to be stopped, that drops what waits for its turn: the answer must have left.
    await nextTurn()
    await withinCall(() => reader.cancel(reason)).catch(() => undefined)
  }
  const opened = open({ reader, withinCall, abandon, events })
  // Such as one that begins with what is no chunk.
  opened.catch(abandon)
  return { opened, abandon }
}

interface StreamParts {
  readonly reader: ReadableStreamDefaultReader<unknown>
  readonly withinCall: <Result>(run: () => Promise<Result>) => Promise<Result>
  readonly abandon: OpeningBody['abandon']
  readonly events: StreamBodyEvents
}

async function open({ reader, withinCall, abandon, events }: StreamParts): Promise<StreamBody> {
  // Its microtasks are many: none may wait in a turn in which another function is ended.
  await nextTurn()
  const first = await withinCall(() => reader.read())
  if (first.done) return { kind: 'whole', bytes: null }
  const firstBytes = toBytes(first.value)
  let ahead: ReturnType<typeof reader.read> | null = reader.read()
  const second = await Promise.race([ahead, nextTurn()])
  if (second?.done === true) return { kind: 'whole', bytes: firstBytes }

  let sink: ReadableStreamDefaultController<Uint8Array> | null = null
  const fail = (error: Error): void => {
    sink?.error(error)
    void abandon(error)
  }
  const stream = new ReadableStream<Uint8Array>(
    {
      start: (controller) => {
        sink = controller
        controller.enqueue(firstBytes)
      },
      pull: async (controller) => {
        events.onProgress()
        try {
          const chunk = await (ahead ?? withinCall(() => reader.read()))
          ahead = null
          events.onProgress()
          if (!chunk.done) return controller.enqueue(toBytes(chunk.value))
          controller.close()
          events.onEnd()
        } catch (error) {
          controller.error(toStreamError(error))
          events.onError(error)
        }
      },
      cancel: (reason) => {
        events.onCancel()
        return abandon(reason)
      },
    },
    { highWaterMark: 1 },
  )
  return { kind: 'stream', stream, fail }
}

const utf8 = new TextEncoder()

/**
 * Typed arrays of the function's realm become the host's. A copy: their memory is the function's, which
 * may transfer it, or let WebAssembly grow it, before the host has written it. Node.js throws for memory
 * that is gone where nothing catches it.
 */
function toBytes(chunk: unknown): Uint8Array {
  if (typeof chunk === 'string') return utf8.encode(chunk)
  if (ArrayBuffer.isView(chunk)) {
    return new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength).slice()
  }
  throw new TypeError(`A chunk of a streaming body must be bytes or text, got ${typeof chunk}`)
}
