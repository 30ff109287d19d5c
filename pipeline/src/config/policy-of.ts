import type { DeclaredSettings, SettingsPolicy } from '@needle-faas/runtime/container'
import type { NeedleConfig } from './needle-config.ts'

const settingsKeys = ['timeoutMs', 'maxConcurrency', 'maxQueue', 'maxBodyBytes'] as const

/** What applies to the settings of a function: its group's entry, overridden key by key by its own. */
export function policyOf(
  config: Pick<NeedleConfig, 'policies'>,
  functionName: string,
): SettingsPolicy {
  const [group = ''] = functionName.split('/')
  const policy = { ...config.policies?.[group], ...config.policies?.[functionName] }
  // How a change goes out is no part of what it is built from.
  return Object.fromEntries(
    settingsKeys.flatMap((key) => (policy[key] === undefined ? [] : [[key, policy[key]]])),
  )
}

/** A declaration cut down to the policy: a function may ask for less, never for more. */
export function capSettings(declared: DeclaredSettings, policy: SettingsPolicy): DeclaredSettings {
  const capped: Record<string, number> = {}
  for (const key of settingsKeys) {
    const [asked, most] = [declared[key], policy[key]]
    if (asked !== undefined && most !== undefined) capped[key] = Math.min(asked, most)
  }
  return { ...declared, ...capped }
}
