import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { onTestFinished } from 'vitest'

/** A new, empty directory; removed when the test ends, after what began in it has been closed. */
export async function createTemporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(path.join(tmpdir(), 'needle-'))
  // In reverse order: whatever was started later ends before.
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  return directory
}
