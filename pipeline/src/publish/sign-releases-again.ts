import {
  type FunctionState,
  digestOf,
  objectKey,
  type ReleaseRef,
  signDocument,
} from '@needle-faas/runtime/manifest'
import { createVerifiedReader } from '@needle-faas/runtime/store'
import type { EnvironmentState } from '../environment-state/environment-state.ts'
import { toFunctionStates, toGroups } from '../plan/function-states.ts'
import type { PlannedChange } from './change-environment.ts'
import type { Publisher } from './publisher.ts'
import type { Upload } from './upload.ts'

/**
 * The refreshed plan with every release it names signed by this publisher's key, so that the key
 * that signed them before can be taken away. Nothing but the signature changes.
 */
export async function signReleasesAgain(
  publisher: Publisher,
  state: EnvironmentState,
  plan: PlannedChange['plan'],
): Promise<PlannedChange> {
  if (plan.draft === null) return { plan, uploads: [] }
  const reader = createVerifiedReader(publisher.access)
  const uploads: Upload[] = []
  const again = async (ref: ReleaseRef, functionName: string): Promise<ReleaseRef> => {
    const { document } = await reader.release(ref, functionName, publisher.access)
    const bytes = await signDocument({ kind: 'release', payload: document }, [publisher.signer])
    const release = digestOf(bytes)
    uploads.push({ key: objectKey.release(release), read: async () => bytes })
    return { ...ref, release, sizeBytes: bytes.byteLength }
  }
  const states = new Map<string, FunctionState>()
  for (const [name, { stable, previous, rollout, hold }] of toFunctionStates(state.groups)) {
    states.set(name, {
      stable: await again(stable, name),
      previous: await Promise.all(previous.map((ref) => again(ref, name))),
      rollout: rollout && { ...rollout, canary: await again(rollout.canary, name) },
      hold,
    })
  }
  return {
    plan: { ...plan, draft: { ...plan.draft, groups: toGroups(states) } },
    uploads: [uploads],
  }
}
