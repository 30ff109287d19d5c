import { containerRequest } from './container-request.ts'
import { wholeResponse } from './whole-response.ts'

/**
 * The classes of `fetch` a function may have. Node.js loads all of `fetch` when one of them is first
 * read: 20 ms, and 1 MB for good, which a host that fetches by other means need not pay for
 * functions that answer with plain values.
 */
export const fetchClassNames = ['FormData', 'Headers', 'Request', 'Response'] as const

type FetchClassName = (typeof fetchClassNames)[number]

let areLoaded = false

/** Blocks the event loop for those 20 ms, once in the life of a process. */
export function loadFetchClasses(): void {
  areLoaded = globalThis.Response !== undefined
}

/**
 * Whether an artifact would load them while it is entered, as far as its text tells. What puts such a
 * name together loads them where it does so.
 */
export function wouldLoadFetchClasses(artifact: Uint8Array): boolean {
  if (areLoaded) return false
  const { buffer, byteOffset, byteLength } = artifact
  return mention.test(Buffer.from(buffer, byteOffset, byteLength).toString('latin1'))
}

const mention = new RegExp(String.raw`\b(?:${fetchClassNames.join('|')})\b`)

/** Defines them on a container's global object: the host's own, read when they are. */
export function installFetchClasses(target: object): void {
  for (const name of fetchClassNames) Object.defineProperty(target, name, accessors[name])
}

const accessors: Readonly<Record<FetchClassName, PropertyDescriptor>> = {
  FormData: accessorOf('FormData'),
  Headers: accessorOf('Headers'),
  Request: accessorOf('Request'),
  Response: accessorOf('Response'),
}

/** One for all containers; may be assigned to, as every global. */
function accessorOf(name: FetchClassName): PropertyDescriptor {
  return {
    get: () => classOf(name),
    set(this: object, value: unknown) {
      Object.defineProperty(this, name, { value, writable: true, configurable: true })
    },
    configurable: true,
  }
}

function classOf(name: FetchClassName): unknown {
  if (name === 'Request') return containerRequest()
  return name === 'Response' ? wholeResponse() : globalThis[name]
}
