import type { ArtifactStore, ListOptions } from './artifact-store.ts'

/** Keys that start with `prefix`, in no particular order, as cheaply as the store can. */
export function listKeys(
  store: Pick<ArtifactStore, 'keys' | 'list'>,
  prefix: string,
  options: ListOptions = {},
): AsyncIterable<string> {
  return store.keys === undefined
    ? keysOf(store.list(prefix, options))
    : store.keys(prefix, options)
}

async function* keysOf(listed: ReturnType<ArtifactStore['list']>): AsyncGenerator<string> {
  for await (const { key } of listed) yield key
}
