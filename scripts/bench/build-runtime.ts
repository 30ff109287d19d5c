import { spawnSync } from 'node:child_process'
import { projectRoot } from '../playground/directories.ts'

/**
 * Makes what a BFF installs of the runtime: the files that are measured.
 *
 * @throws Error with what the build complained of
 */
export function buildRuntime(): void {
  const { status, stderr } = spawnSync(process.execPath, ['runtime/build.ts'], {
    cwd: projectRoot,
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(`The runtime could not be built (npm run build):\n${stderr}`)
}
