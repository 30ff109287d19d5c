export { type AllowedBuiltin, allowedBuiltins, toAllowedBuiltin } from './allowed-builtins.ts'
export {
  artifactBuildOptions,
  artifactGlobalName,
  builtinAccessorKey,
  builtinModuleSource,
  revisionIdOf,
  scriptUrl,
} from './artifact-format.ts'
export { joinParts, packagesGlobalName, partsOf } from './artifact-parts.ts'
export { composeSettings, type SettingsPolicy } from './compose-settings.ts'
export {
  type ArtifactDescription,
  type DescribeOptions,
  describeArtifact,
} from './describe-artifact.ts'
export { containerGlobalNames } from './globals.ts'
export type { DeclaredSettings } from './read-definition.ts'
