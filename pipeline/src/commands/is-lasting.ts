import { isPipelineError } from '../errors.ts'
import { isRuntimeRefusal } from '../runtime-refusal.ts'

/** What a store is, not how it fares. */
const ofTheStore: ReadonlySet<string> = new Set(['STORE_READ_ONLY', 'STORE_NOT_CONDITIONAL'])

/**
 * Whether whoever goes on looking would meet the same again, until somebody changes what it was
 * started with: a wrong option, key or store, or a defect of Needle. Not so a store that is away, a
 * race that was lost, or a document that is damaged or signed by a key learnt of later: others put
 * that right.
 *
 * @param hasLooked - Whether a look succeeded before: a store that let it in then denies it for a
 *   time, where one that never did has other credentials in mind.
 */
export function isLasting(error: unknown, hasLooked: boolean): boolean {
  if (isPipelineError(error)) return error.code !== 'PUBLISH_LOST'
  if (!isRuntimeRefusal(error)) return true
  return ofTheStore.has(error.code) || (error.code === 'STORE_DENIED' && !hasLooked)
}
