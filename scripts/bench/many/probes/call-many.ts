import type { Runtime } from '@needle-faas/runtime'
import { manyPath } from '../many-function.ts'

/**
 * Calls the nth function, without a host in between.
 *
 * @throws Error when its answer is no 200
 */
export async function callMany(runtime: Runtime, index: number): Promise<void> {
  const { status } = await runtime.handle({
    requestId: String(index),
    method: 'POST',
    url: manyPath(index),
    headers: { 'content-type': 'application/json' },
    body: '{"sku":"p-100","quantity":2}',
    caller: {},
  })
  if (status !== 200) throw new Error(`${manyPath(index)} answered ${status}`)
}
