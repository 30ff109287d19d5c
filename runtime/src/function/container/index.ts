export { type AllowedBuiltin, allowedBuiltins, toAllowedBuiltin } from './allowed-builtins.ts'
export {
  artifactBuildOptions,
  artifactGlobalName,
  builtinAccessorKey,
  builtinModuleSource,
  revisionIdOf,
  scriptUrl,
} from './artifact-format.ts'
