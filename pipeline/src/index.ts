export {
  defineConfig,
  type EnvironmentConfig,
  type NeedleConfig,
  type Policy,
} from './config/needle-config.ts'
export type { RolloutPolicy } from './config/rollout-policy.ts'
export {
  isPipelineError,
  PipelineError,
  type Issue,
  type PipelineErrorCode,
  type Place,
} from './errors.ts'
