import type { DeclaredSettings, SettingsPolicy } from '@needle-faas/runtime/container'
import type { NeedleConfig } from './needle-config.ts'

/** What applies to a function: its group's entry, overridden key by key by its own. */
export function policyOf(
  config: Pick<NeedleConfig, 'policies'>,
  functionName: string,
): SettingsPolicy {
  const [group = ''] = functionName.split('/')
  return { ...config.policies?.[group], ...config.policies?.[functionName] }
}

/** A declaration cut down to the policy: a function may ask for less, never for more. */
export function capSettings(declared: DeclaredSettings, policy: SettingsPolicy): DeclaredSettings {
  const capped: Record<string, number> = {}
  for (const key of ['timeoutMs', 'maxConcurrency', 'maxQueue', 'maxBodyBytes'] as const) {
    const [asked, most] = [declared[key], policy[key]]
    if (asked !== undefined && most !== undefined) capped[key] = Math.min(asked, most)
  }
  return { ...declared, ...capped }
}
