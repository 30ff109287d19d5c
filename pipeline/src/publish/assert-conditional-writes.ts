import { randomUUID } from 'node:crypto'
import { isRuntimeError } from '@needle-faas/runtime/store'
import type { EnvironmentAccess } from '../environment-state/read-environment.ts'
import { PipelineError } from '../errors.ts'

/**
 * Proves that this store refuses to create what is already there, on which the history rests. It
 * costs one small request, two the first time. Some stores answer 501, others silently overwrite
 * (minio#21526, arrow-rs#6801).
 *
 * @throws PipelineError `STORE_IGNORES_CONDITIONS`
 */
export async function assertConditionalWrites(access: EnvironmentAccess): Promise<void> {
  const { store, environment, signal } = access
  const key = `environments/${environment}/probe.json`
  const create = (): ReturnType<typeof store.put> =>
    store.put(key, new TextEncoder().encode(JSON.stringify({ probe: randomUUID() })), {
      condition: 'absent',
      signal,
    })
  try {
    const first = await create()
    const second = first.status === 'conflict' ? first : await create()
    if (second.status === 'conflict') return
  } catch (error) {
    if (!isRuntimeError(error, 'STORE_NOT_CONDITIONAL')) throw error
    throw unsafe(store.location, 'refuses', error)
  }
  throw unsafe(store.location, 'silently ignores')
}

function unsafe(location: string, how: string, cause?: unknown): PipelineError {
  return new PipelineError(
    'STORE_IGNORES_CONDITIONS',
    `${location} ${how} conditional writes, so two publishers could overwrite each other. Use another store, or, if nobody else ever publishes at the same time, say so with --single-writer`,
    { cause },
  )
}
