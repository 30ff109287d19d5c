import { execFile } from 'node:child_process'
import { copyFile, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

const root = import.meta.dirname
const wanted = join(root, 'package-lock.json')
/** The lock file that was installed: npm removes it before anything else, so half is not done. */
const installed = join(root, 'node_modules', '.installed-lock.json')

/**
 * Installs the peers' packages beside this file unless those of the lock file are there. Packages
 * with native code are optional, so that one that cannot be had here does not take the others along.
 *
 * @throws Error with npm's output when it fails
 */
export async function installPeers(onInstall: () => void): Promise<void> {
  if ((await textOf(installed)) === (await textOf(wanted))) return
  onInstall()
  await promisify(execFile)('npm', ['ci', '--prefix', root], { cwd: root })
  await copyFile(wanted, installed)
}

/** Null where there is no such file. */
async function textOf(file: string): Promise<string | null> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw error
  }
}
