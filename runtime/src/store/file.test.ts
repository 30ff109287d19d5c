import { fork } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import {
  type FileHandle,
  mkdir,
  mkdtemp,
  open,
  readdir,
  rm,
  utimes,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { digestOf } from '../manifest/digest.ts'
import { describeArtifactStore } from './artifact-store.contract.ts'
import { createFileStore } from './file.ts'

describeArtifactStore('file', async () => {
  const directory = await mkdtemp(path.join(tmpdir(), 'needle-store-'))
  return {
    open: async () => createFileStore(path.join(directory, 'not', 'yet', 'there')),
    close: () => rm(directory, { recursive: true }),
  }
})

const text = (value: string): Uint8Array => new TextEncoder().encode(value)

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'needle-store-'))
})
afterEach(() => rm(directory, { recursive: true }))

describe('a directory shared by processes', () => {
  it('counts every one of their conditional replaces', async () => {
    const store = createFileStore(directory)
    await store.put('counter', text('0 by nobody'))
    await runWriters(4, 'count', directory)
    const counter = await store.get('counter', { maxBytes: 40 })
    const count = counter.status === 'found' && new TextDecoder().decode(counter.bytes)
    expect(count).toMatch(/^200 by /)
  }, 60_000)

  it('lets exactly one of them create each key', async () => {
    const created = await runWriters(4, 'create', directory)
    expect(created.reduce((sum, count) => sum + count, 0)).toBe(50)
  }, 60_000)

  it('frees the lock of a process that is killed while it holds it', async () => {
    const holder = fork(writer, ['hold', directory], { execArgv: ['--conditions=needle-source'] })
    await once(holder, 'message')
    holder.kill('SIGKILL')
    const put = await createFileStore(directory).put('held', text('x'))
    expect(put.status).toBe('written')
  }, 20_000)
})

describe('a directory nobody replaces on condition', () => {
  it('needs no locks', async () => {
    const store = createFileStore(directory, { conditionalReplace: false })
    await store.put('a', text('1'))
    await store.put('a', text('2'))
    expect(await store.put('a', text('3'), { condition: 'absent' })).toEqual({ status: 'conflict' })
    expect(await store.get('a', { maxBytes: 1 })).toMatchObject({ bytes: Buffer.from('2') })
    await store.delete('a')
    expect(await store.get('a', { maxBytes: 1 })).toEqual({ status: 'missing' })
    expect(existsSync(path.join(directory, '.needle-store/locks'))).toBe(false)
  })

  it('refuses to replace on one', async () => {
    const store = createFileStore(directory, { conditionalReplace: false })
    const condition = { etag: digestOf(text('1')) }
    await store.put('a', text('1'))
    await expect(store.put('a', text('2'), { condition })).rejects.toThrow(
      /without conditionalReplace/,
    )
  })
})

describe('what writers leave when they die', () => {
  it('is no object', async () => {
    const store = createFileStore(directory)
    await store.put('a', text('x'))
    await writeFile(path.join(directory, '.needle-store/writing/half'), 'hal')
    const keys: string[] = []
    for await (const { key } of store.list('')) keys.push(key)
    expect(keys).toEqual(['a'])
  })

  it('is removed by the next one to write, once it is an hour old', async () => {
    const folder = path.join(directory, '.needle-store/writing')
    await mkdir(folder, { recursive: true })
    await writeFile(path.join(folder, 'abandoned'), 'hal')
    await writeFile(path.join(folder, 'young'), 'hal')
    const long = new Date(Date.now() - 61 * 60 * 1000)
    await utimes(path.join(folder, 'abandoned'), long, long)
    await createFileStore(directory).put('a', text('x'))
    expect(await readdir(folder)).toEqual(['young'])
  })

  it('is nothing when they end well', async () => {
    const store = createFileStore(directory)
    await store.put('a', text('x'), { condition: 'absent' })
    await store.put('a', text('y'), { condition: 'absent' })
    await store.put('a', text('z'))
    expect(await readdir(path.join(directory, '.needle-store/writing'))).toEqual([])
  })
})

describe('what a power cut may take', () => {
  const bytesAndName = 2

  it('is nothing that was put, but for what need not be durable, and no delete', async () => {
    const store = createFileStore(directory)
    await store.put('a/0', text('makes the folders'))
    const flushes = await countFlushes()

    await store.put('a/1', text('x'), { condition: 'absent' })
    expect(flushes()).toBe(bytesAndName)
    await store.put('a/1', text('y'), { condition: { etag: digestOf(text('x')) } })
    expect(flushes()).toBe(bytesAndName)
    await store.put('a/2', text('x'), { durable: false })
    await store.delete('a/1')
    expect(flushes()).toBe(0)
  })
})

describe('errors', () => {
  it('say that a key is a folder of others', async () => {
    const store = createFileStore(directory)
    await store.put('a/b', text('x'))
    await expect(store.put('a', text('x'))).rejects.toMatchObject({ code: 'OPTIONS_INVALID' })
    await expect(store.put('a/b/c', text('x'))).rejects.toMatchObject({ code: 'OPTIONS_INVALID' })
    expect((await store.get('a', { maxBytes: 1 })).status).toBe('missing')
    expect((await store.get('a/b/c', { maxBytes: 1 })).status).toBe('missing')
  })

  // The kernel's own file system refuses new files to everybody, root included.
  it.skipIf(!existsSync('/sys/kernel'))('say that the directory may not be written', async () => {
    await expect(createFileStore('/sys/kernel').put('a', text('x'))).rejects.toMatchObject({
      code: 'STORE_READ_ONLY',
      message: expect.stringContaining('/sys/kernel'),
    })
  })
})

const writer = new URL('./testing/file-store-writer.ts', import.meta.url)

/** Counts real flushes: tells how many there were since it was last asked. */
async function countFlushes(): Promise<() => number> {
  const handle = await open(directory)
  const sync = vi.spyOn<FileHandle, 'sync'>(Object.getPrototypeOf(handle), 'sync')
  await handle.close()
  onTestFinished(() => sync.mockRestore())
  return () => {
    const { length } = sync.mock.calls
    sync.mockClear()
    return length
  }
}

/** Runs as many processes at once and answers what each reported. */
async function runWriters(count: number, task: string, target: string): Promise<number[]> {
  return Promise.all(
    Array.from({ length: count }, async () => {
      const child = fork(writer, [task, target], { execArgv: ['--conditions=needle-source'] })
      const reported = once(child, 'message')
      const [code] = await once(child, 'exit')
      if (code !== 0) throw new Error(`a writer ended with ${code}`)
      const [result] = await reported
      return Number(result)
    }),
  )
}
