import { isNativeError } from 'node:util/types'
import { inspectFailure } from './inspect-failure.ts'

/**
 * What a host gets to see of why a streaming answer broke off: always an error, none of whose
 * properties runs code of the function. A host looks into it where nothing catches what that throws:
 * Fastify reads its `code`, and `controller.error()`, which fails with undefined, ended the process.
 */
export function toStreamError(thrown: unknown): Error {
  if (isNativeError(thrown) && !hasGetters(thrown)) return thrown
  return new Error(`The function broke its answer off: ${inspectFailure(thrown)}`)
}

function hasGetters(error: Error): boolean {
  // Whether V8 tells of the stack by a getter of its own depends on its age.
  const { stack: _, ...properties } = Object.getOwnPropertyDescriptors(error)
  return Object.values(properties).some((property) => property.get !== undefined)
}
