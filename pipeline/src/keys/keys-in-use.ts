import type { TrustRoot } from '@needle-faas/runtime/manifest'
import {
  type ArtifactStore,
  createVerifiedReader,
  isRuntimeError,
} from '@needle-faas/runtime/store'
import { listEnvironments } from '../environment-state/list-environments.ts'
import { readEnvironment } from '../environment-state/read-environment.ts'
import { PipelineError } from '../errors.ts'
import { releasesOf, toFunctionStates } from '../plan/function-states.ts'

/**
 * Proves that everything the environments of a store serve still verifies under the next root, so
 * that taking a key away does not leave instances that restart without functions.
 *
 * @throws PipelineError `KEY_IN_USE` naming what would be refused.
 */
export async function assertKeysUnused(question: {
  readonly store: ArtifactStore
  readonly next: TrustRoot
  readonly signal?: AbortSignal | undefined
}): Promise<void> {
  const { store, next: root, signal } = question
  for (const environment of await listEnvironments(store, signal)) {
    const access = { store, environment, root, signal }
    const { state } = await readEnvironment(access).catch((error: unknown) => {
      throw inUse(error, environment, `needle refresh --environment ${environment} signs it again`)
    })
    const reader = createVerifiedReader(access)
    for (const [name, functionState] of toFunctionStates(state.groups)) {
      for (const ref of releasesOf(functionState)) {
        await reader.release(ref, name, { signal }).catch((error: unknown) => {
          throw inUse(
            error,
            environment,
            `${name} must be published anew with the new key before (change it, or needle refresh --environment ${environment} --releases)`,
          )
        })
      }
    }
  }
}

function inUse(error: unknown, environment: string, remedy: string): unknown {
  if (!isRuntimeError(error) || !error.code.startsWith('SIGNER_')) return error
  return new PipelineError(
    'KEY_IN_USE',
    `${environment} still needs a key that would go: ${error.message}. First: ${remedy}. If the key is stolen, --force takes it away at once`,
    { cause: error, details: { environment } },
  )
}
