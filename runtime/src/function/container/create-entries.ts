import { microtask } from '../microtask.ts'

/**
 * Globals by which a function is entered again. The host's own call back within an `AsyncResource`,
 * where the watchdog cannot end a loop without ending the process: these do from a bare microtask.
 */
export function createEntries(): {
  readonly queueMicrotask: unknown
  readonly ReadableStream: unknown
} {
  return {
    queueMicrotask: (callback: unknown) => {
      if (!isFunction(callback)) throw new TypeError('The callback must be a function')
      const run = callback
      void microtask.then(() => run())
    },
    // A proxy: what the host makes is an instance of it, too.
    ReadableStream: new Proxy(ReadableStream, {
      construct: (target, [source, ...rest]: unknown[], newTarget) =>
        Reflect.construct(target, [fromMicrotasks(source), ...rest], newTarget),
    }),
  }
}

/** `start` is called by the constructor, in the midst of the function. */
function fromMicrotasks(source: unknown): unknown {
  if (typeof source !== 'object' || source === null) return source
  const call = (name: string, argument: unknown): unknown => {
    const method: unknown = Reflect.get(source, name)
    return isFunction(method) ? method.call(source, argument) : undefined
  }
  const later = (name: string) => (argument: unknown) => microtask.then(() => call(name, argument))
  return Object.create(source, {
    start: { value: (controller: unknown) => call('start', controller) },
    ...(Reflect.get(source, 'pull') !== undefined && { pull: { value: later('pull') } }),
    ...(Reflect.get(source, 'cancel') !== undefined && { cancel: { value: later('cancel') } }),
  })
}

function isFunction(value: unknown): value is (...values: unknown[]) => unknown {
  return typeof value === 'function'
}
