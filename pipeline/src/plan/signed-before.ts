import { type FunctionState, shortDigest } from '@needle-faas/runtime/manifest'
import type { Order, OrderKept } from './order.ts'
import { isOrderedAgain } from './taken-back.ts'

/**
 * That it is as ordered, where the newest manifest was signed for the very same person and reason:
 * ordered again to be sure, or after a failure. Null when it was signed for something else.
 *
 * @param what - How it is.
 */
export function signedBefore(
  order: Order,
  { stable }: FunctionState,
  what: string,
): OrderKept | null {
  const manifest = order.state.newest?.manifest
  if (manifest === undefined) return null
  const { version, actor: by, reason } = manifest
  if (!isOrderedAgain(order, { by, reason })) return null
  const text = `${what} as of version ${version} of ${by}: ${reason}; it serves ${shortDigest(stable.release)}`
  return { kept: { function: order.function, by, reason, text } }
}
