import { objectKey } from '@needle-faas/runtime/manifest'

/** What an error of reading the bucket says about itself. */
export interface Damage {
  readonly code: string
  readonly details: Readonly<Record<string, unknown>>
}

/**
 * What to do about an object of the bucket that is not what it should be; null when the error is
 * not about one. Each remedy loses nothing: signed documents have copies, the rest is named by the
 * digest of its bytes.
 */
export function remedyOf(damage: Damage, environment: string): string | null {
  const key = keyOf(damage)
  if (key.startsWith('trust/')) {
    return `Put back the ${key} that needle keys rotate wrote, or delete it if nobody rotated keys. And find out who wrote it`
  }
  const history = objectKey.historyPrefix(environment)
  if (key.startsWith(history)) {
    const version = key.slice(history.length, -'.json'.length)
    return `Nothing is published until ${key} is put right. If manifest.json holds version ${version}, copy it there; if it holds a lower one, ${version} never served: delete ${key}; else restore it from a backup. And find out who wrote it`
  }
  if (!damage.code.startsWith('OBJECT_')) return null
  return key.startsWith('releases/') || key.startsWith('artifacts/')
    ? `Instances that run it go on, new ones cannot start it. Restore ${key} from a backup or from the cache directory of a BFF, or publish a change of the function`
    : `Nothing is published until ${key} is put right. Restore it from a backup or from the cache directory of a BFF; its name is the digest of its bytes, so any whole copy will do`
}

/** Signed documents name their source, everything else its key. */
function keyOf({ details }: Damage): string {
  const { key, source } = details
  if (typeof key === 'string') return key
  return typeof source === 'string' ? source : ''
}
