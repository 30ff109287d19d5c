import type { RolloutPolicy } from './rollout-policy.ts'

/** What of a function's settings the repository decides over its author's head. */
export interface Policy {
  /** Milliseconds; a function may ask for less, never for more. */
  readonly timeoutMs?: number
  /** Calls at once per instance; a function may ask for less, never for more. */
  readonly maxConcurrency?: number
  /** Calls waiting for their turn; a function may ask for less, never for more. */
  readonly maxQueue?: number
  /** Bytes; a function may ask for less, never for more. */
  readonly maxBodyBytes?: number
  /**
   * How changes reach everyone: step by step, judged on live calls. Absent: all at once. `false`:
   * at once although the group has a policy. Of both, the function's own wins key by key.
   */
  readonly rollout?: RolloutPolicy | false
}

export interface EnvironmentConfig {
  /** Address of the store: `file:<path>` (relative to the repository root) or `s3://bucket/prefix`. `NEEDLE_STORE` overrides it. */
  readonly store: string
  /** Path of the pinned trust root, relative to the repository root. `NEEDLE_TRUST` overrides it. */
  readonly trust: string
  /** Names of the services that the BFFs of this environment offer. */
  readonly services: readonly string[]
  /** Where its BFF answers, for links and smoke tests. */
  readonly url?: string
  /** Where `needle alarms` tells what somebody should know of. */
  readonly alarms?: {
    /** Address that takes a signed POST for every alarm; `--webhook` goes before it. */
    readonly webhook?: string
  }
}

/** `functions/needle.config.ts`, the one configuration file of a repository. */
export interface NeedleConfig {
  readonly environments: Readonly<Record<string, EnvironmentConfig>>
  /** By group (`shop`) or function (`shop/card`); of both, the function's own entry wins key by key. */
  readonly policies?: Readonly<Record<string, Policy>>
  readonly budget?: {
    /** Largest bundle of one function. Default 102400 (100 KiB). */
    readonly bundleBytes?: number
  }
}

/** Returns the configuration as it is; it exists for its types. Checked when it is loaded. */
export function defineConfig(config: NeedleConfig): NeedleConfig {
  return config
}
