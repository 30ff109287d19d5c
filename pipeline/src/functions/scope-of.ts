import { isPreviewEnvironment } from '@needle-faas/runtime/manifest'
import type { Scope } from './inputs.ts'

/** What a build for this environment may serve; without one it is for production. */
export function scopeOf(environment: string | undefined): Scope {
  return environment !== undefined && isPreviewEnvironment(environment) ? 'preview' : 'production'
}
