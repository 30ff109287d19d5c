import type { CoveredHold } from '@needle-faas/runtime/manifest'

/** The command that ends a stop or a hold of this function and leaves one below it as it is. */
export function endsHold(name: string, { mode }: Pick<CoveredHold, 'mode'>): string {
  const command = mode === 'stopped' ? `resume ${name}` : `clear ${name} --hold`
  return `needle ${command} --reason "…"`
}
