import { expect, test } from 'vitest'
import { createPublishedRepository } from './published-repository.ts'

test('publishing one changed function of 200 takes well under a second on the file store', async () => {
  await using on = await createPublishedRepository()
  const code = Object.fromEntries(
    Array.from({ length: 200 }, (_, index) => [`group-${index % 10}/fn-${index}`, `${index}`]),
  )
  await on.publish(code)
  await on.build({ ...code, 'group-0/fn-0': 'changed' })
  const started = performance.now()
  const outcome = await on.needle(['publish'])
  const durationMs = performance.now() - started
  expect(outcome.json).toMatchObject({ written: true, changes: [{ function: 'group-0/fn-0' }] })
  // Around 150 ms on the machine this was written on; a machine under load gets the rest.
  expect(durationMs).toBeLessThan(1_000)
})
