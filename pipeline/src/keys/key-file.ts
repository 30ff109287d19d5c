import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Role, SigningKey } from '@needle-faas/runtime/manifest'
import { PipelineError } from '../errors.ts'

/** Where the private key of a role is written below `directory`. */
export function keyFilePath(directory: string, role: Role): string {
  return join(directory, `${role}.jwk.json`)
}

/** @throws PipelineError `KEY_FILE_EXISTS` naming the first that is there. */
export function assertNoFiles(paths: readonly string[]): void {
  const existing = paths.find((path) => existsSync(path))
  if (existing === undefined) return
  throw new PipelineError(
    'KEY_FILE_EXISTS',
    `${existing} exists and keys are never overwritten. Move it away, or give another --out`,
    { details: { file: existing } },
  )
}

/** Writes a private key that only its owner may read; never replaces a file. */
export async function writeKeyFile(path: string, key: SigningKey): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  const text = `${JSON.stringify(key.privateJwk)}\n`
  await writeFile(path, text, { flag: 'wx', mode: 0o600 })
}
