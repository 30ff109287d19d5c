import { AsyncLocalStorage } from 'node:async_hooks'
import { expect, it } from 'vitest'
import type { Call, Outcome } from './call.ts'
import { madeAnew } from './made-anew.ts'
import { toCall } from './testing/revision-fixture.ts'

const outcome: Outcome = {
  status: 504,
  headers: {},
  body: null,
  errorCode: 'FUNCTION_TIMEOUT',
  functionFault: false,
}

it('makes a starved call anew in a turn of its own, in the async context it came from', async () => {
  const request = new AsyncLocalStorage<string>()
  const call = toCall({ requestId: 'starved' })
  const made = Promise.withResolvers<{ call: Call; context: string | undefined }>()
  let isInTurn = true
  const take = request.run('of the call', () =>
    madeAnew(call, 1000, {
      make: (again) => {
        expect(isInTurn).toBe(false)
        made.resolve({ call: again, context: request.getStore() })
      },
      take: (taken) => made.reject(new Error(`taken: ${taken.status}`)),
    }),
  )
  request.run('of who ended it', () => take({ ...outcome, isStarved: true }))
  isInTurn = false
  const { call: again, context } = await made.promise
  expect(context).toBe('of the call')
  expect(again.requestId).toBe('starved')
  expect(again.timeoutMs).toBeGreaterThan(0)
  expect(again.timeoutMs).toBeLessThanOrEqual(1000)
})

it.each([
  ['that was not starved', outcome, 1000],
  ['whose time is over', { ...outcome, isStarved: true }, 0],
])('hands over what became of a call %s', async (_, given, timeoutMs) => {
  const taken: Outcome[] = []
  const take = madeAnew(toCall(), timeoutMs, {
    make: () => expect.fail('made anew'),
    take: (each) => taken.push(each),
  })
  take(given)
  await new Promise((resolve) => setImmediate(resolve))
  expect(taken).toEqual([given])
})
