/**
 * Whether Needle runs from its TypeScript source, as in its own workspace. Child processes and
 * bundlers then need the condition by which the packages' exports lead to source.
 */
export const runsFromSource = import.meta.url.endsWith('.ts')

/** For `execArgv` of child processes that import Needle's packages. */
export const sourceExecArgv: readonly string[] = runsFromSource
  ? ['--conditions=needle-source']
  : []

/** The file of this package next to `url`, as a child process can run it: `.ts` from source, else `.js`. */
export function siblingScript(name: string, url: string): URL {
  return new URL(`${name}${runsFromSource ? '.ts' : '.js'}`, url)
}
