import type { Logger } from '../authoring/function-context.ts'
import { createConsole } from './create-console.ts'
import { createFinalizationRegistry } from './create-finalization-registry.ts'
import { createTimers, type Timers } from './create-timers.ts'
import { fetchClassNames, installFetchClasses } from './fetch-classes.ts'
import { queueMicrotask } from './queue-microtask.ts'
import {
  ContainerReadableStream,
  ContainerTransformStream,
  ContainerWritableStream,
} from './web-streams.ts'

/**
 * Web-platform globals handed in as the host has them. No `fetch`, sockets, workers or channels:
 * what a function reaches, it reaches through its services.
 */
const hostGlobals = {
  AbortController,
  Blob,
  ByteLengthQueuingStrategy,
  CompressionStream,
  CountQueuingStrategy,
  Crypto,
  CryptoKey,
  DOMException,
  DecompressionStream,
  Event,
  EventTarget,
  File,
  ReadableByteStreamController,
  ReadableStream: ContainerReadableStream,
  ReadableStreamBYOBReader,
  ReadableStreamBYOBRequest,
  ReadableStreamDefaultController,
  ReadableStreamDefaultReader,
  SubtleCrypto,
  TextDecoder,
  TextDecoderStream,
  TextEncoder,
  TextEncoderStream,
  TransformStream: ContainerTransformStream,
  TransformStreamDefaultController,
  URL,
  URLSearchParams,
  WritableStream: ContainerWritableStream,
  WritableStreamDefaultController,
  WritableStreamDefaultWriter,
  atob,
  btoa,
  crypto,
  queueMicrotask,
  structuredClone,
} as const

/** Made anew for each container, so that they are tracked, attributed or cut down to what is safe. */
const ownGlobals = [
  'AbortSignal',
  'clearImmediate',
  'clearInterval',
  'clearTimeout',
  'performance',
  'setImmediate',
  'setInterval',
  'setTimeout',
] as const

/** Every global a container has beyond the language's own, sorted. */
export const containerGlobalNames: readonly string[] = [
  ...Object.keys(hostGlobals),
  ...fetchClassNames,
  ...ownGlobals,
  'console',
].toSorted()

/** Defines the globals on a container's global object; returns what holds and ends its timers. */
export function installGlobals(target: object, log: Logger): Omit<Timers, 'globals'> {
  const timers = createTimers()
  const own: Record<(typeof ownGlobals)[number], unknown> = {
    ...timers.globals,
    AbortSignal: abortSignalWith(timers.globals.setTimeout),
    // The host's own object keeps every mark and measure for the life of the process.
    performance: Object.freeze({
      now: () => performance.now(),
      timeOrigin: performance.timeOrigin,
    }),
  }
  // One of the language's own, that calls back by itself.
  const ofLanguage = { FinalizationRegistry: createFinalizationRegistry() }
  for (const [name, value] of Object.entries({ ...hostGlobals, ...own, ...ofLanguage })) {
    Object.defineProperty(target, name, { value, writable: true, configurable: true })
  }
  defineWhenRead(target, 'console', () => createConsole(log))
  installFetchClasses(target)
  return timers
}

/** For what takes memory (a console has 6 KB) and few functions use. */
function defineWhenRead(target: object, name: string, create: () => unknown): void {
  const define = (value: unknown): void => {
    Object.defineProperty(target, name, { value, writable: true, configurable: true })
  }
  Object.defineProperty(target, name, {
    get: () => {
      const value = create()
      define(value)
      return value
    },
    set: define,
    configurable: true,
  })
}

/** The host's class, but for `timeout`: its timer is the container's, tracked and fired from a microtask. */
function abortSignalWith(setContainerTimeout: unknown): unknown {
  return Object.assign(() => undefined, {
    // `instanceof` reads it, and `new` fails as it should.
    prototype: AbortSignal.prototype,
    abort: (reason?: unknown) => AbortSignal.abort(reason),
    any: (signals: Iterable<AbortSignal>) => AbortSignal.any([...signals]),
    timeout: (delayMs: number) => {
      const controller = new AbortController()
      const expire = (): void =>
        controller.abort(
          new DOMException('The operation was aborted due to timeout', 'TimeoutError'),
        )
      if (typeof setContainerTimeout === 'function') setContainerTimeout(expire, delayMs)
      return controller.signal
    },
  })
}
