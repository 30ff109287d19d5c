import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import * as z from 'zod'

const root = import.meta.dirname

/**
 * Installs the peers' packages beside this file unless they are there in the versions wanted.
 *
 * @throws Error with npm's output when it fails
 */
export async function installPeers(onInstall: () => void): Promise<void> {
  if (await isInstalled()) return
  onInstall()
  await promisify(execFile)('npm', ['ci', '--prefix', root], { cwd: root })
}

async function isInstalled(): Promise<boolean> {
  const { dependencies } = wantedSchema.parse(await readJson(join(root, 'package.json')))
  const versions = await Promise.all(
    Object.keys(dependencies).map(async (name) => {
      const manifest = await readJson(join(root, 'node_modules', name, 'package.json'))
      return installedSchema.safeParse(manifest).data?.version
    }),
  )
  return Object.values(dependencies).every((wanted, index) => versions[index] === wanted)
}

/** Null where there is no such file. */
async function readJson(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, 'utf8'))
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw error
  }
}

const wantedSchema = z.object({ dependencies: z.record(z.string(), z.string()) })
const installedSchema = z.object({ version: z.string() })
