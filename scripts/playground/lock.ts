import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/**
 * Runs `work` while holding the playground in `root`, so that two starts do not share one clone.
 * The lock of a process that died is taken over.
 */
export async function withLock(root: string, work: () => Promise<void>): Promise<void> {
  await mkdir(root, { recursive: true })
  const file = join(root, 'running')
  if (!(await take(file))) {
    console.error(
      `A playground already runs here (process ${await readFile(file, 'utf8')}). Stop it with Ctrl-C in its terminal, or use it as it is.`,
    )
    process.exitCode = 1
    return
  }
  try {
    await work()
  } finally {
    await rm(file, { force: true })
  }
}

async function take(file: string): Promise<boolean> {
  try {
    await writeFile(file, String(process.pid), { flag: 'wx' })
    return true
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  }
  const owner = Number(await readFile(file, 'utf8'))
  if (isAlive(owner)) return false
  await rm(file, { force: true })
  return take(file)
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}
