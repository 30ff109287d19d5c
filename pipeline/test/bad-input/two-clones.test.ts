import { randomUUID } from 'node:crypto'
import { symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { openStore } from '@needle-faas/runtime/store'
import { simpleGit } from 'simple-git'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { runCommand } from '../author/run-command.ts'
import { copyStore } from './copy-store.ts'
import { answerOf, createLiveEnvironment, type LiveEnvironment } from './live-environment.ts'
import { spawnNeedle } from './needle-process.ts'

// Builds and Git processes: seconds on a busy machine.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

/** An s3:// url; `npm run s3 -- --exec "…"` sets it, and the credentials with it. */
const given = process.env['NEEDLE_STORE'] ?? ''
const s3Url = given.startsWith('s3:') ? given : ''

const rounds = 2

let on: LiveEnvironment
/** Of the commit that is built and waiting, and of one that follows it. */
let clones: readonly { readonly cwd: string; readonly build: string }[]

beforeAll(async () => {
  on = await createLiveEnvironment()
  const { directory } = on.repository
  const clone = async (name: string): Promise<string> => {
    const cwd = join(directory, '.needle', name)
    await simpleGit().clone(directory, cwd)
    await symlink(join(directory, 'node_modules'), join(cwd, 'node_modules'))
    return cwd
  }
  const first = { cwd: await clone('first'), build: join(directory, '.needle/build-3') }
  await on.commitCard(4)
  const second = { cwd: await clone('second'), build: '.needle/build' }
  const built = await runCommand(['build', '--environment', 'production', '--out', second.build], {
    cwd: second.cwd,
    env: on.env,
  })
  if (built.exitCode !== 0) throw new Error(built.stderr)
  clones = [first, second]
})
afterAll(() => on[Symbol.asyncDispose]())

async function publishFromBoth(address: string): Promise<readonly (number | null)[]> {
  const env = { ...on.env, NEEDLE_STORE: address }
  const ends = await Promise.all(
    clones.map(({ cwd, build }) => spawnNeedle(['publish', '--build', build], { cwd, env }).ended),
  )
  return ends.map(({ code }) => code)
}

describe.each([
  ['a file store', () => `file:${join(on.repository.directory, '.needle/file-store')}`],
  ...(s3Url === ''
    ? []
    : [['the S3 server of NEEDLE_STORE', () => withPrefix(s3Url, randomUUID())] as const]),
] as const)('on %s', (_, addressOf) => {
  test('of two clones that publish at once the newer commit is live, and nothing is lost', async () => {
    const address = addressOf()
    const store = await openStore(address)
    for (let round = 0; round < rounds; round++) {
      await copyStore(on.store, store)
      const [older, newer] = await publishFromBoth(address)
      expect(newer).toBe(0)
      // 1: the newer one was there first, and the older is refused as COMMIT_OLDER.
      expect([0, 1]).toContain(older)
      const { json } = await on.needle(['status', '--json'], { NEEDLE_STORE: address })
      expect(json()).toMatchObject({
        pointer: 'current',
        manifest: { version: older === 0 ? 4 : 3, reason: 'Card 4' },
      })
      const bff = await on.startBff({ store })
      expect((await bff.inject('/shop/card')).json()).toEqual(answerOf(4))
      expect((await on.needle(['doctor'], { NEEDLE_STORE: address })).exitCode).toBe(0)
      await bff.close()
    }
    for await (const { key } of store.list('')) await store.delete(key)
    await store.close()
  })
})

/** The same store below a prefix of its own. */
function withPrefix(url: string, prefix: string): string {
  return url.replace(/^(s3:\/\/[^/?]+)[^?]*/, `$1/${prefix}`)
}
