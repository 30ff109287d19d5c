import type { ArtifactDescription } from '@needle-faas/runtime/container'

/** To the child: evaluate this. */
export interface EvaluationRequest {
  readonly name: string
  readonly script: string
}

/** From the child: what came of it. */
export type EvaluationReply =
  | { readonly status: 'described'; readonly description: ArtifactDescription }
  | {
      readonly status: 'refused'
      readonly code: string
      readonly message: string
      /** Of the error the function threw, if it threw one. */
      readonly stack: string | null
    }
