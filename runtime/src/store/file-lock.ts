import { createHash } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { RuntimeError } from '../errors.ts'

/** SQLite's result code for "somebody else holds the lock". */
const SQLITE_BUSY = 5
const giveUpAfterMs = 15_000

/**
 * Runs `work` while no other process (or other caller in this one) is inside for the same name.
 *
 * The lock is the write lock of an empty SQLite database, because Node.js has no other portable
 * way to the operating system's file locks. The system releases those when their holder dies,
 * however it dies; a lock file of our own would need a guess at whether its owner still lives.
 * Names share 64 locks by hash.
 *
 * @throws RuntimeError `STORE_TIMEOUT` when the lock is not free for 15 seconds.
 */
export async function withFileLock<Result>(
  lock: {
    readonly folder: string
    readonly name: string
    readonly signal?: AbortSignal | undefined
  },
  work: () => Promise<Result>,
): Promise<Result> {
  await mkdir(lock.folder, { recursive: true })
  const shard = (createHash('sha256').update(lock.name).digest()[0] ?? 0) % 64
  const file = path.join(lock.folder, String(shard))
  const database = new DatabaseSync(file, { timeout: 0 })
  try {
    for (const startedAt = performance.now(); !tryBegin(database);) {
      if (performance.now() - startedAt > giveUpAfterMs) {
        throw new RuntimeError(
          'STORE_TIMEOUT',
          `Another process has held ${file} for ${giveUpAfterMs / 1000} s: find it with "fuser ${file}"`,
        )
      }
      await sleep(1 + Math.random() * 4, undefined, lock.signal && { signal: lock.signal })
    }
    return await work()
  } finally {
    database.close()
  }
}

function tryBegin(database: DatabaseSync): boolean {
  try {
    database.exec('BEGIN IMMEDIATE')
    return true
  } catch (error) {
    if (error instanceof Error && 'errcode' in error && error.errcode === SQLITE_BUSY) return false
    throw error
  }
}
