import type { FastifyInstance } from 'fastify'
import { describe, expect, it } from 'vitest'
import type { FunctionState, ReleaseRef } from '../src/manifest/group-document.ts'
import type { StickyKeySource } from '../src/manifest/sticky-key-source.ts'
import { testFunctionState, testRollout } from '../src/manifest/testing/test-documents.ts'
import { type HostOptions, startHost } from './support/start-host.ts'
import { createTestEnvironment, type TestEnvironment } from './support/test-environment.ts'

type Side = 'stable' | 'canary'
type Headers = Readonly<Record<string, string>>

interface Instance {
  readonly app: FastifyInstance
  readonly address: string
}

interface Answer {
  readonly side: Side
  readonly revision: string | null
}

/** A BFF of its own on a port of its own, of the fleet that this bucket feeds. */
async function startInstance(
  bucket: TestEnvironment,
  options: HostOptions = {},
): Promise<Instance> {
  const app = await startHost(bucket, {
    // Knows no session: by the host alone, every request would be somebody else's.
    stickyKey: (call) => call.requestId + Math.random(),
    context: (request) => {
      const id = request.headers.authorization?.replace('Bearer ', '')
      const caller = { locale: 'de', user: { id } }
      return caller
    },
    // Who is turned away on a busy machine tells no side.
    maxLoopDelayMs: false,
    ...options,
  })
  return { app, address: await app.listen({ port: 0, host: '127.0.0.1' }) }
}

async function ask({ address }: Instance, headers: Headers = {}): Promise<Answer> {
  const response = await fetch(`${address}/bff/shop/card`, { headers })
  const side: unknown = await response.json()
  if (side !== 'stable' && side !== 'canary') throw new Error(`answered ${String(side)}`)
  return { side, revision: response.headers.get('x-needle-revision') }
}

async function createRollout(stickyKey?: StickyKeySource) {
  const bucket = await createTestEnvironment()
  const refs = {
    stable: await bucket.release('shop/card', 'async () => "stable"'),
    canary: await bucket.release('shop/card', 'async () => "canary"'),
  }
  const publish = (weightPercent: number): Promise<Uint8Array> =>
    bucket.publish({ card: rolloutAt(refs, weightPercent, stickyKey) })
  return { bucket, refs, publish }
}

function rolloutAt(
  { stable, canary }: Readonly<Record<Side, ReleaseRef>>,
  weightPercent: number,
  stickyKey: StickyKeySource | undefined,
): FunctionState {
  return testFunctionState(stable, { rollout: testRollout(canary, { weightPercent, stickyKey }) })
}

const users = Array.from({ length: 100 }, (_, index) => `user-${index}`)

describe.each<[string, StickyKeySource, (user: string) => Headers]>([
  ['a header', { httpHeaderName: 'X-User-Id' }, (user) => ({ 'x-user-id': user })],
  [
    'a cookie',
    { httpCookie: { name: 'session' } },
    (user) => ({ cookie: `theme=dark; session=${user}` }),
  ],
  ['the caller', { caller: 'user.id' }, (user) => ({ authorization: `Bearer ${user}` })],
])('a user whom the policy knows by %s', (_kind, stickyKey, headersOf) => {
  /** What each user is served, having asked every instance; fails when one of them is served two things. */
  async function served(instances: readonly Instance[]): Promise<readonly Side[]> {
    return Promise.all(
      users.map(async (user) => {
        const answers = await Promise.all(
          instances.map((instance) => ask(instance, headersOf(user))),
        )
        const revisions = new Set(answers.map(({ revision }) => revision))
        if (revisions.size !== 1) throw new Error(`${user} met ${[...revisions].join(' and ')}`)
        return answers[0]?.side ?? 'stable'
      }),
    )
  }

  // istio#19630: sessions stuck to a pod, and pods come and go. flagger#1532: only the canary was
  // sticky, so that with every further request more users drifted to it, whatever its weight.
  it('meets one version on every instance, on either side, and only ever moves on to the canary (flagger#1532, istio#19630)', async () => {
    const { bucket, refs, publish } = await createRollout(stickyKey)
    await publish(10)
    const [first, second, third] = [
      await startInstance(bucket),
      await startInstance(bucket),
      await startInstance(bucket),
    ]
    const at10 = await served([first, second, third])
    for (let round = 0; round < 4; round++) {
      expect(await served([first, second, third])).toEqual(at10)
    }
    expect(countOfCanary(at10)).toBeGreaterThan(3)
    expect(countOfCanary(at10)).toBeLessThan(20)

    await first.app.close()
    const instances = [second, third, await startInstance(bucket)]
    expect(await served(instances)).toEqual(at10)

    let before = at10
    for (const weightPercent of [40, 75]) {
      await publish(weightPercent)
      await Promise.all(instances.map(({ app }) => app.needle.refresh()))
      const now = await served(instances)
      expect(before.filter((side, user) => side === 'canary' && now[user] === 'stable')).toEqual([])
      expect(Math.abs(countOfCanary(now) - weightPercent)).toBeLessThan(15)
      before = now
    }

    await bucket.publish({ card: refs.canary })
    await Promise.all(instances.map(({ app }) => app.needle.refresh()))
    expect(countOfCanary(await served(instances))).toBe(users.length)
  })
})

describe('a request without the key that the policy names', () => {
  it('goes by the key of the host, the same on every instance', async () => {
    const { bucket, publish } = await createRollout({ httpHeaderName: 'x-user-id' })
    await publish(50)
    const byTenant: HostOptions = {
      stickyKey: (call) => String(call.headers['x-tenant'] ?? ''),
    }
    const instances = [await startInstance(bucket, byTenant), await startInstance(bucket, byTenant)]
    const sides: Side[] = []
    for (let tenant = 0; tenant < 40; tenant++) {
      const headers = { 'x-tenant': `tenant-${tenant}` }
      const [one, other] = await Promise.all(instances.map((each) => ask(each, headers)))
      expect(one).toEqual(other)
      if (one !== undefined) sides.push(one.side)
    }
    expect(new Set(sides).size).toBe(2)
  })

  it('goes by its address where the host says nothing either', async () => {
    const { bucket, publish } = await createRollout({ httpHeaderName: 'x-user-id' })
    await publish(50)
    const silent = { stickyKey: undefined }
    const instances = [await startInstance(bucket, silent), await startInstance(bucket, silent)]
    const answers = []
    for (let round = 0; round < 20; round++) {
      for (const instance of instances) answers.push(await ask(instance))
    }
    expect(new Set(answers.map(({ revision }) => revision)).size).toBe(1)
  })
})

it('a rollout whose policy names no key goes by what the host says', async () => {
  const { bucket, publish } = await createRollout()
  await publish(50)
  const instance = await startInstance(bucket, {
    stickyKey: (call) => String(call.headers['x-tenant'] ?? ''),
  })
  const sides = new Set<Side>()
  for (const user of users.slice(0, 20)) {
    const headers = { 'x-tenant': user }
    const { side, revision } = await ask(instance, headers)
    expect(await ask(instance, headers)).toEqual({ side, revision })
    sides.add(side)
  }
  expect(sides.size).toBe(2)
})

function countOfCanary(sides: readonly Side[]): number {
  return sides.filter((side) => side === 'canary').length
}
