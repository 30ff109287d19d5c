import type { ArtifactStore } from '@needle-faas/runtime/store'

/** Names of the environments that have a history in this store, sorted. */
export async function listEnvironments(
  store: ArtifactStore,
  signal?: AbortSignal,
): Promise<readonly string[]> {
  const names = new Set<string>()
  for await (const { key } of store.list('environments/', { signal })) {
    const [, name, part] = key.split('/')
    if (name !== undefined && part === 'history') names.add(name)
  }
  return [...names].toSorted()
}
