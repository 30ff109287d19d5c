import { isKeyObject, isPromise, isProxy } from 'node:util/types'
import { type Attribution, chargeResumed, currentCall } from './attribution.ts'
import { noteGiven } from './given-promises.ts'
import { isResting, restOver } from './turn-rest.ts'

type Method = (...args: unknown[]) => unknown

/** Both ways, for all functions of the process: one service has one of them. */
const offered = new WeakMap<object, object>()
const originals = new WeakMap<object, object>()

/**
 * A service as functions get it: the same to read, to call and to `instanceof`, but each promise its
 * methods return is of the call that got it. A service may reject one from its own timer or pool,
 * outside the async context of any call, and a function that left it behind would end the process by it;
 * and the time that a function takes when it goes on is its own.
 *
 * Methods run with the service itself as `this`, where its private fields are, and what else they return
 * is handed on untouched. Only its own methods, not those of objects within it.
 */
export function toOfferedService(service: unknown): unknown {
  if (!isObject(service) || !hasMethods(service)) return service
  const known = offered.get(service)
  if (known !== undefined) return known
  const made = offer(service)
  offered.set(service, made)
  originals.set(made, service)
  return made
}

function offer(service: object): object {
  const methods = new WeakMap<Method, Method>()
  const call = (method: Method, self: unknown, args: unknown[]): unknown => {
    for (let at = 0; at < args.length; at += 1) args[at] = toOriginal(args[at])
    const result: unknown = Reflect.apply(method, toOriginal(self), args)
    if (result === service) return facade
    if (isPromise(result)) {
      const charged = currentCall()
      if (charged !== undefined) return give(result, charged)
    }
    return result
  }
  const observe = (method: Method): Method => {
    const known = methods.get(method)
    if (known !== undefined) return known
    const made = new Proxy(method, { apply: call })
    methods.set(method, made)
    return made
  }
  const isClosed = typeof service !== 'function' && Object.isFrozen(service)
  const target = isClosed ? looseCopy(service) : service
  const facade: object = new Proxy(target, {
    get: (_, name) => {
      const value: unknown = Reflect.get(service, name, service)
      return isMethod(value) && !isFixed(target, name) ? observe(value) : value
    },
    set: (_, name, value) => Reflect.set(service, name, value, service),
    ...(isMethod(service) && {
      apply: (_, self, args: unknown[]) => call(service, self, args),
    }),
    ...(isClosed && { defineProperty: refuse, deleteProperty: refuse, setPrototypeOf: refuse }),
  })
  return facade
}

/**
 * A plain promise is followed by one that settles in the call. One with properties or of a class of its
 * own, such as one to cancel, is handed on as it is: it is noted who got it.
 */
function give(promise: Promise<unknown>, call: Attribution): Promise<unknown> {
  const isPlain =
    Object.getPrototypeOf(promise) === Promise.prototype && Object.keys(promise).length === 0
  const given = isPlain ? promise.then(resumeWith, resumeThrowing) : promise
  noteGiven(given, call)
  return given
}

function resumeWith(value: unknown): unknown {
  if (isResting()) return restOver(currentCall()).then(() => resumeWith(value))
  chargeResumed()
  return value
}

function resumeThrowing(reason: unknown): unknown {
  if (isResting()) return restOver(currentCall()).then(() => resumeThrowing(reason))
  chargeResumed()
  throw reason
}

const refuse = (): boolean => false

/** Whether `value` is worth observing: data and what the platform's own code takes apart stay themselves. */
function hasMethods(service: object): boolean {
  if (typeof service === 'function' || isProxy(service)) return true
  const prototype: unknown = Object.getPrototypeOf(service)
  if (!isObject(prototype) || prototype === Object.prototype) {
    const own = Object.values(Object.getOwnPropertyDescriptors(service))
    return own.some((property) => typeof property.value === 'function' || 'get' in property)
  }
  const maker: unknown = Reflect.get(prototype, 'constructor')
  const isOfPlatform = typeof maker === 'function' && Reflect.get(globalThis, maker.name) === maker
  return !isOfPlatform && !isKeyObject(service)
}

/** A proxy must tell a fixed property as it is: the copy of a frozen object has none. */
function looseCopy(service: object): object {
  const properties = Object.getOwnPropertyDescriptors(service)
  for (const property of Object.values(properties)) property.configurable = true
  return Object.create(Object.getPrototypeOf(service), properties)
}

function isFixed(target: object, name: PropertyKey): boolean {
  const property = Object.getOwnPropertyDescriptor(target, name)
  return property?.configurable === false && property.writable !== true
}

function toOriginal(value: unknown): unknown {
  return isObject(value) ? (originals.get(value) ?? value) : value
}

/** Not a class, which is made and compared, and cannot be called. */
function isMethod(value: unknown): value is Method {
  return (
    typeof value === 'function' &&
    Object.getOwnPropertyDescriptor(value, 'prototype')?.writable !== false
  )
}

function isObject(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function'
}
