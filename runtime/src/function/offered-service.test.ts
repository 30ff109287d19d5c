import { describe, expect, it, vi } from 'vitest'
import { attributionOfLoad, currentCall, runAttributed } from './attribution.ts'
import { givenTo } from './given-promises.ts'
import { toOfferedService } from './offered-service.ts'

const call = { ...attributionOfLoad('shop/card@0123456789ab'), requestId: 'req-1' }

// oxlint-disable-next-line typescript/no-explicit-any -- as a function gets it
const offer = (service: unknown): any => toOfferedService(service)

class Store {
  #kept = 1
  readonly named = { deep: true }
  get kept(): number {
    return this.#kept
  }
  set kept(value: number) {
    this.#kept = value
  }
  read(): Promise<number> {
    return Promise.resolve(this.#kept)
  }
  readSync(): number {
    return this.#kept
  }
  self(): this {
    return this
  }
  copyOf(other: Store): number {
    return other.#kept
  }
  async *[Symbol.asyncIterator](): AsyncGenerator<number> {
    yield this.#kept
  }
}

describe('a service as a function gets it', () => {
  it('gives a call a promise of its own, which settles in its async context', async () => {
    const settle = Promise.withResolvers<number>()
    const service = offer({ read: () => settle.promise })
    const got = runAttributed(call, () =>
      service.read().then((value: number) => [value, currentCall()]),
    )
    settle.resolve(1)
    expect(await got).toEqual([1, call])
    const failing = offer({ read: () => Promise.reject(new Error('down')) })
    const failed = runAttributed(call, () => failing.read())
    await expect(failed).rejects.toThrow('down')
    const shared = Promise.resolve()
    expect(await offer({ read: () => shared }).read()).toBeUndefined()
    expect(offer({ read: () => shared }).read()).toBe(shared)
  })

  it('notes of a promise that can more which call got it, and hands it on as it is', async () => {
    const promise = Object.assign(Promise.resolve(1), { cancel: () => 'cancelled' })
    const service = offer({ read: () => promise })
    const got = runAttributed(call, () => service.read())
    expect(got).toBe(promise)
    expect(givenTo(got)).toBe(call)
    const other = { ...call, requestId: 'req-2' }
    expect(givenTo(runAttributed(other, () => service.read()))).toBe(other)
    expect(givenTo(offer({ read: () => Promise.resolve() }).read())).toBeUndefined()
  })

  it.each([
    ['a function', () => offer(async () => 1)()],
    ['a method of a prototype', () => offer(new Store()).read()],
    ['a method of a frozen object', () => offer(Object.freeze({ read: async () => 1 })).read()],
    ['a method of a fixed name', () => offer(Object.freeze(new Store())).read()],
    ['a method of what a service returns as itself', () => offer(new Store()).self().read()],
    ['a method a proxy makes', () => offer(new Proxy({}, { get: () => async () => 1 })).read()],
  ])('of %s', (_, run) => {
    expect(givenTo(runAttributed(call, run))).toBe(call)
  })

  it('is the same to read, to change and to compare', async () => {
    const store = new Store()
    const offered = offer(store)
    expect(offered).toBe(toOfferedService(store))
    expect(offered).toBeInstanceOf(Store)
    expect(offered.read).toBe(offered.read)
    expect(offered.named).toBe(store.named)
    expect(Object.keys(offered)).toEqual(['named'])
    offered.kept = 2
    expect([store.kept, offered.kept, offered.readSync(), await offered.read()]).toEqual([
      2, 2, 2, 2,
    ])
    expect(offered.self()).toBe(offered)
    expect(offered.copyOf(offered)).toBe(2)
    for await (const kept of offered) expect(kept).toBe(2)
    offered.added = 1
    expect(store).toHaveProperty('added', 1)
  })

  it('keeps what its methods have: properties, classes, thenables', () => {
    class Refused extends Error {}
    // oxlint-disable-next-line unicorn/no-thenable -- as query builders return
    const thenable = { then: () => undefined }
    const read = Object.assign(() => thenable, { cached: true })
    const offered = offer({ read, Refused })
    expect(offered.read()).toBe(thenable)
    expect(offered.read.cached).toBe(true)
    expect(offered.Refused).toBe(Refused)
    expect(new offered.Refused()).toBeInstanceOf(Refused)
    const mock = vi.fn<(value: number) => void>()
    offer({ mock }).mock(1)
    expect(mock).toHaveBeenCalledWith(1)
  })

  it('stays frozen', () => {
    const offered = offer(Object.freeze({ read: () => 1 }))
    expect(() => (offered.read = () => 2)).toThrow(TypeError)
    expect(() => (offered.other = 1)).toThrow(TypeError)
    expect(() => delete offered.read).toThrow(TypeError)
    expect(offered.read()).toBe(1)
  })

  it.each([
    ['text', 'text'],
    ['nothing', null],
    ['data', { a: { b: 1 } }],
    ['a list', [1]],
    ['a map', new Map()],
    ['bytes', new Uint8Array(1)],
    ['a signal', new AbortController().signal],
  ])('is itself when it is %s', (_, service) => {
    expect(toOfferedService(service)).toBe(service)
  })
})
