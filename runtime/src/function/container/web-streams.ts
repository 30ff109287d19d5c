import { type Attribution, chargeTime, currentCall } from '../attribution.ts'
import { microtask } from '../microtask.ts'
import { isResting, restOver } from '../turn-rest.ts'

type Call = (...values: unknown[]) => unknown

/**
 * The host's classes of streams, for a container: what they are made of is called from a bare
 * microtask. By itself the host calls some of it within an `AsyncResource`, where the watchdog cannot
 * end a loop without ending the process.
 *
 * Proxies: what the host makes is an instance of them, too.
 */
export const ContainerReadableStream = new Proxy(ReadableStream, {
  construct: (target, values: unknown[], newTarget) =>
    Reflect.construct(target, withParts(values, ['pull', 'cancel']), newTarget),
  get: (target, name, receiver) =>
    name === 'from' ? streamFrom : Reflect.get(target, name, receiver),
})

export const ContainerWritableStream = new Proxy(WritableStream, {
  construct: (target, values: unknown[], newTarget) =>
    Reflect.construct(target, withParts(values, ['write', 'close', 'abort']), newTarget),
})

export const ContainerTransformStream = new Proxy(TransformStream, {
  construct: (target, values: unknown[], newTarget) =>
    Reflect.construct(target, withParts(values, ['transform', 'flush', 'cancel']), newTarget),
})

/** As `node:stream/web`. */
export function containerStreamWeb(): object {
  return {
    ...process.getBuiltinModule('node:stream/web'),
    ReadableStream: ContainerReadableStream,
    TransformStream: ContainerTransformStream,
    WritableStream: ContainerWritableStream,
  }
}

/** As `ReadableStream.from`. */
export function streamFrom(iterable: unknown): ReadableStream {
  return ReadableStream.from(
    isObject(iterable) ? iterableFromMicrotasks(iterable) : Object(iterable),
  )
}

function withParts([parts, ...rest]: unknown[], names: readonly string[]): unknown[] {
  return [fromMicrotasks(parts, names), ...rest]
}

/** `start` is called by the constructor, in the midst of the function. */
function fromMicrotasks(parts: unknown, names: readonly string[]): unknown {
  if (!isObject(parts)) return parts
  // Whoever reads the stream calls them, in an async context of its own.
  const charged = currentCall()
  const later = names
    .filter((name) => Reflect.get(parts, name) !== undefined)
    .map((name) => {
      const value: Call = (...values) => entered(charged).then(() => call(parts, name, values))
      return [name, { value }] as const
    })
  const start: Call = (...values) => call(parts, 'start', values)
  return Object.create(parts, { start: { value: start }, ...Object.fromEntries(later) })
}

/** In a microtask, where the time that follows is the call's. */
async function entered(charged: Attribution | undefined): Promise<void> {
  await (isResting() ? restOver(charged) : microtask)
  chargeTime(charged)
}

/** A list's values may be promises, an asynchronous one's are what they are. */
function iterableFromMicrotasks(iterable: object): AsyncIterable<unknown> {
  const isAsync = Reflect.get(iterable, Symbol.asyncIterator) != null
  const charged = currentCall()
  const iterator = call(iterable, isAsync ? Symbol.asyncIterator : Symbol.iterator, [])
  if (!isObject(iterator)) throw new TypeError('The value is not iterable')
  const step = async (name: string, values: unknown[]): Promise<IteratorResult<unknown>> => {
    await entered(charged)
    const result: unknown = await call(iterator, name, values)
    if (!isObject(result)) throw new TypeError(`The iterator's ${name}() gave no object`)
    const value: unknown = Reflect.get(result, 'value')
    return { done: Boolean(Reflect.get(result, 'done')), value: isAsync ? value : await value }
  }
  const last = { done: true, value: undefined } as const
  return {
    [Symbol.asyncIterator]: () => ({
      next: (...values: unknown[]) => step('next', values),
      return: (...values: unknown[]) =>
        Reflect.get(iterator, 'return') === undefined
          ? Promise.resolve(last)
          : step('return', values),
    }),
  }
}

function call(of: object, name: PropertyKey, values: readonly unknown[]): unknown {
  const method: unknown = Reflect.get(of, name)
  return typeof method === 'function' ? Reflect.apply(method, of, values) : undefined
}

function isObject(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function'
}
