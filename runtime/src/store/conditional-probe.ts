import { randomUUID } from 'node:crypto'
import { isRuntimeError } from '../errors.ts'
import type { ArtifactStore } from './artifact-store.ts'

/**
 * - `write`: objects can be written, read back and removed
 * - `conditionalCreate`: a second create of one key is refused; publishing rests on it
 * - `conditionalReplace`: replacing is taken with the current etag and refused with an old one
 * - `notModified`: polling an unchanged object costs no body
 */
export type Capability = 'write' | 'conditionalCreate' | 'conditionalReplace' | 'notModified'

export interface StoreFinding {
  readonly capability: Capability
  /** `ignored`: the store says yes and does not do it, which is worse than `refused`. */
  readonly status: 'works' | 'refused' | 'ignored' | 'failed'
  /** What this means and what to do. */
  readonly message: string
}

/**
 * Finds out what a store really does, by writing one small object under `probe/` and removing it.
 * One finding per capability, in the order of `Capability`; it does not throw for a store that
 * fails, only when the signal aborts.
 */
export async function probeStore(
  store: ArtifactStore,
  options: { readonly signal?: AbortSignal | undefined } = {},
): Promise<readonly StoreFinding[]> {
  const { signal } = options
  const key = `probe/${randomUUID()}.json`
  const findings: StoreFinding[] = []
  const find = async (
    capability: Capability,
    probe: () => Promise<Omit<StoreFinding, 'capability'>>,
  ): Promise<void> => {
    try {
      findings.push({ capability, ...(await probe()) })
    } catch (error) {
      signal?.throwIfAborted()
      const status = isRuntimeError(error, 'STORE_NOT_CONDITIONAL') ? 'refused' : 'failed'
      const message = error instanceof Error ? error.message : String(error)
      findings.push({ capability, status, message })
    }
  }
  try {
    await find('write', () => probeWrite(store, key, signal))
    if (findings.some(({ status }) => status !== 'works')) return findings
    await find('conditionalCreate', () => probeCreate(store, key, signal))
    await find('conditionalReplace', () => probeReplace(store, key, signal))
    await find('notModified', () => probeNotModified(store, key, signal))
    return findings
  } finally {
    await removeProbe(store, key)
  }
}

type Probe = (
  store: ArtifactStore,
  key: string,
  signal: AbortSignal | undefined,
) => Promise<Omit<StoreFinding, 'capability'>>

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(JSON.stringify(text))
const maxBytes = 1024

const probeWrite: Probe = async (store, key, signal) => {
  await store.put(key, bytesOf('written'), { signal })
  const read = await store.get(key, { maxBytes, signal })
  await store.delete(key, { signal })
  const gone = await store.get(key, { maxBytes, signal })
  return read.status === 'found' && gone.status === 'missing'
    ? { status: 'works', message: 'objects are written, read and removed' }
    : {
        status: 'failed',
        message: `an object just written was ${read.status}, and ${gone.status} after its removal; the store is not strongly consistent`,
      }
}

const probeCreate: Probe = async (store, key, signal) => {
  const first = await store.put(key, bytesOf('first'), { condition: 'absent', signal })
  const second = await store.put(key, bytesOf('second'), { condition: 'absent', signal })
  if (first.status === 'conflict') {
    return { status: 'failed', message: 'creating an absent object was refused' }
  }
  return second.status === 'conflict'
    ? { status: 'works', message: 'of two creates of one key the second is refused' }
    : {
        status: 'ignored',
        message:
          'a second create of one key overwrote the first: two publishers at once would lose a manifest; publish from one place only, or use another store',
      }
}

const probeReplace: Probe = async (store, key, signal) => {
  const first = await store.put(key, bytesOf('old'), { signal })
  if (first.status === 'conflict') return { status: 'failed', message: 'a plain write was refused' }
  const fresh = await store.put(key, bytesOf('new'), { condition: { etag: first.etag }, signal })
  if (fresh.status === 'conflict') {
    return {
      status: 'refused',
      message:
        'replacing is refused even with the current etag; the store may want it without quotes: add ifMatch=bare to its url (or take it away)',
    }
  }
  const stale = await store.put(key, bytesOf('late'), { condition: { etag: first.etag }, signal })
  return stale.status === 'conflict'
    ? { status: 'works', message: 'replacing with an old etag is refused' }
    : {
        status: 'ignored',
        message:
          'replacing with an old etag went through; manifest.json may briefly step back when two publishers meet, and the next publish repairs it',
      }
}

const probeNotModified: Probe = async (store, key, signal) => {
  await store.put(key, bytesOf('polled'), { signal })
  const read = await store.get(key, { maxBytes, signal })
  if (read.status !== 'found') return { status: 'failed', message: `a read was ${read.status}` }
  const again = await store.get(key, { maxBytes, ifNoneMatch: read.etag, signal })
  return again.status === 'notModified'
    ? { status: 'works', message: 'an unchanged object is answered without its body' }
    : { status: 'ignored', message: 'every poll transfers the whole manifest' }
}

async function removeProbe(store: ArtifactStore, key: string): Promise<void> {
  try {
    await store.delete(key)
  } catch (error) {
    // A store that may not be written has kept nothing; the findings already say why.
    if (!isRuntimeError(error)) throw error
  }
}
