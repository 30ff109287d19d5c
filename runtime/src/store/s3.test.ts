import { randomUUID } from 'node:crypto'
import { describeArtifactStore } from './artifact-store.contract.ts'
import { describe, expect, it } from 'vitest'
import { probeStore } from './conditional-probe.ts'
import { openStore, parseS3Url } from './open-store.ts'
import { createS3Store } from './s3.ts'

/** An s3:// url; `npm run s3 -- --exec "…"` sets it, and the credentials with it. */
const store = process.env['NEEDLE_STORE'] ?? ''
const url = store.startsWith('s3:') ? store : ''

describe.skipIf(url === '')('the S3 server of NEEDLE_STORE', () => {
  describeArtifactStore('s3', async () => {
    const own = ownPrefix(url)
    return {
      open: () => openStore(own),
      close: async () => {
        const store = await openStore(own)
        const deletions: Promise<void>[] = []
        for await (const { key } of store.list('')) deletions.push(store.delete(key))
        await Promise.all(deletions)
        await store.close()
      },
    }
  })

  describe('a real S3 server', () => {
    it('has every capability that is probed', async () => {
      const store = await openStore(ownPrefix(url))
      const findings = await probeStore(store)
      expect(findings.filter(({ status }) => status !== 'works')).toEqual([])
      expect(findings).toHaveLength(4)
    })

    it('refuses a wrong secret with STORE_DENIED', async () => {
      const credentials = { accessKeyId: 'NOBODY', secretAccessKey: 'nothing' }
      const store = createS3Store({ ...parseS3Url(url), credentials })
      await expect(store.get('a', { maxBytes: 1 })).rejects.toMatchObject({ code: 'STORE_DENIED' })
    })

    it('that has no such bucket is unavailable, not empty', async () => {
      const store = createS3Store({ ...parseS3Url(url), bucket: 'no-such-bucket-here' })
      const unavailable = { code: 'STORE_UNAVAILABLE', message: /no such bucket/ }
      await expect(store.get('a', { maxBytes: 1 })).rejects.toMatchObject({
        code: unavailable.code,
        message: expect.stringMatching(unavailable.message),
      })
      await expect(store.put('a', Uint8Array.of(1), { condition: 'absent' })).rejects.toMatchObject(
        { code: 'STORE_UNAVAILABLE' },
      )
    })
  })
})

/** A prefix of its own per run, so that runs may share a bucket. */
function ownPrefix(whole: string): string {
  const own = new URL(whole)
  own.pathname = `${own.pathname.replace(/\/$/, '')}/contract-${randomUUID()}`
  return own.href
}
