import { basename } from 'node:path'
import type { BuildOptions, OutputFile } from 'esbuild'

export interface BundleRequest {
  /** Absolute path. */
  readonly entry: string
  /** Absolute path; what sources of the map are relative to. */
  readonly directory: string
  /** What every bundle of a function is made with. */
  readonly bundlerOptions: BuildOptions
}

/** What a bundle is made with that becomes an artifact. */
export const artifactOutput = {
  // names of packages' folders would else stay in the script, and with them where they lie
  minify: true,
  sourcemap: 'external',
  sourcesContent: true,
  write: false,
} as const satisfies BuildOptions

/** @throws TypeError when there is no such file */
export function outputOf(outputs: readonly OutputFile[], name: string): OutputFile {
  const output = outputs.find(({ path }) => basename(path) === name)
  if (output === undefined) throw new TypeError(`esbuild made no ${name}`)
  return output
}
