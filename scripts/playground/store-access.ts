import { readFile, writeFile } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { randomBytes } from 'node:crypto'
import type { PlaygroundDirectories } from './directories.ts'

/** The environment variables with which a process reaches the playground's store. */
export type StoreEnv = Readonly<Record<string, string>>

/**
 * The playground's store: a directory below it, or, when `NEEDLE_STORE` is set, a prefix of its own
 * in that bucket, remembered across starts. Credentials are the S3 client's usual variables.
 */
export async function storeEnv(directories: PlaygroundDirectories): Promise<StoreEnv> {
  const given = process.env['NEEDLE_STORE']
  if (given === undefined) return { NEEDLE_STORE: `file:${directories.store}` }
  const credentials = Object.fromEntries(
    ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN', 'AWS_REGION'].flatMap(
      (name) => {
        const value = process.env[name]
        return value === undefined ? [] : [[name, value]]
      },
    ),
  )
  const url = new URL(given)
  url.pathname = join('/', url.pathname, await ownPrefix(directories))
  return { NEEDLE_STORE: url.href, ...credentials }
}

async function ownPrefix(directories: PlaygroundDirectories): Promise<string> {
  const file = join(directories.root, 'prefix')
  if (existsSync(file)) return (await readFile(file, 'utf8')).trim()
  const prefix = `playground-${randomBytes(4).toString('hex')}`
  await writeFile(file, `${prefix}\n`)
  return prefix
}
