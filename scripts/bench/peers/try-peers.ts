import { type Arm, arms, type Peer, peerNames, toContender } from '../arms.ts'
import { pricePath } from '../asked.ts'
import { startServer } from '../measure-round.ts'

export interface UnablePeer {
  readonly peer: Peer
  readonly reason: string
}

export interface TriedPeers {
  readonly able: readonly Peer[]
  readonly unable: readonly UnablePeer[]
}

/** Starts each peer once: which can be compared here, and why the others cannot. */
export async function tryPeers(env: Readonly<Record<string, string>>): Promise<TriedPeers> {
  const able: Peer[] = []
  const unable: UnablePeer[] = []
  for (const peer of peerNames) {
    try {
      await assertServes(peer, env)
      able.push(peer)
    } catch (error) {
      unable.push({ peer, reason: error instanceof Error ? error.message : String(error) })
    }
  }
  return { able, unable }
}

/**
 * The arm answers rightly and refuses what the function's schema does.
 *
 * @throws Error when it does not
 */
export async function assertServes(arm: Arm, env: Readonly<Record<string, string>>): Promise<void> {
  const { program, port } = await startServer(toContender(arm, env))
  try {
    const response = await fetch(`http://127.0.0.1:${port}${pricePath}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ sku: 'p-1', quantity: 100 }),
    })
    const body = await response.text()
    if (response.status === 400) return
    throw new Error(
      `${arms[arm].label} answers invalid input with ${response.status} instead of 400: ${body}`,
    )
  } finally {
    await program.close({ graceMs: 10_000 })
  }
}
