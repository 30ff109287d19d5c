import { join } from 'node:path'
import { expect, it } from 'vitest'
import { type Contender, measureRound, of } from './measure-round.ts'
import { createSeededRandom } from './seeded-random.ts'

type Name = 'zod' | 'ajv'

const contender = (name: Name, server: string): Contender<Name> => ({
  name,
  server: join(import.meta.dirname, 'servers', server),
  asked: { what: 'price' },
})

it('offers all contenders what one of them has just been able to do, or a share of it', async () => {
  const launches = await measureRound(
    [contender('zod', 'hand-written.ts'), contender('ajv', 'hand-written-ajv.ts')],
    {
      warmUpMs: 100,
      durationMs: 300,
      open: { of: 'ajv', share: 1 / 4, durationMs: 200 },
      random: createSeededRandom(1),
    },
  )
  const [zod, ajv] = [of(launches, 'zod'), of(launches, 'ajv')]
  expect(ajv.requestsPerSecond).not.toBe(zod.requestsPerSecond)
  const offered = Math.round(ajv.requestsPerSecond / 4)
  expect(zod.open).toMatchObject({ ratePerSecond: offered, p99Ms: expect.any(Number) })
  expect(ajv.open).toMatchObject({ ratePerSecond: offered, p99Ms: expect.any(Number) })
})
