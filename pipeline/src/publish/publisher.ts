import type { Signer } from '@needle-faas/runtime/manifest'
import type { Clock } from '@needle-faas/runtime/store'
import type { EnvironmentAccess } from '../environment-state/read-environment.ts'

/** Who writes, where to, and with which key. */
export interface Publisher {
  readonly access: EnvironmentAccess
  readonly signer: Signer
  readonly clock: Pick<Clock, 'now'>
  /**
   * The caller vouches that nobody else writes, so that a store without conditional writes will
   * do. Default false.
   */
  readonly singleWriter?: boolean | undefined
  /** Default 30 days. */
  readonly lifetimeMs?: number | undefined
}
