import { expect, it } from 'vitest'
import { RuntimeError, type RuntimeErrorCode } from '../errors.ts'
import { digestOf } from '../manifest/digest.ts'
import { createFailureMemory } from './failure-memory.ts'

const release = digestOf('a release')
const create = () => createFailureMemory({ retryBaseMs: 1000, random: () => 0.5 })
const failure = (code: RuntimeErrorCode, now: number, details = {}) => ({
  function: 'shop/card',
  release,
  error: new RuntimeError(code, 'no', { details }),
  now,
})

it('blocks a release until its back-off is over, longer each time', () => {
  const memory = create()
  memory.record(failure('OBJECT_MISSING', 0))
  expect([...memory.blocked(999)]).toEqual([release])
  expect(memory.isDue(999)).toBe(false)
  expect(memory.blocked(1000).size).toBe(0)
  expect(memory.isDue(1000)).toBe(true)

  memory.record(failure('OBJECT_MISSING', 1000))
  expect(memory.get(release)).toMatchObject({ attempts: 2, since: 0, retryAt: 3000 })
})

it.each<RuntimeErrorCode>(['FUNCTION_SYNTAX', 'SERVICE_MISSING', 'RELEASE_PREVIEW_SCOPE'])(
  'never retries %s, which cannot end differently',
  (code) => {
    const memory = create()
    memory.record(failure(code, 0))
    expect(memory.isDue(1e12)).toBe(false)
    expect([...memory.blocked(1e12)]).toEqual([release])
  },
)

it('gives up on code that stalls every load, because each try stops the whole host', () => {
  const memory = create()
  for (let attempt = 1; attempt <= 3; attempt++) {
    memory.record(failure('FUNCTION_LOAD_TIMEOUT', 0))
    expect(memory.isDue(1e12)).toBe(attempt < 3)
  }
})

it('tries a load again that hardly got the processor', () => {
  const memory = create()
  for (let attempt = 1; attempt <= 10; attempt++) {
    memory.record(failure('FUNCTION_LOAD_TIMEOUT', 0, { starved: true }))
    expect(memory.isDue(1e12)).toBe(true)
  }
})

it('remembers what held up the process, whoever seeks it', () => {
  const memory = create()
  memory.record(failure('FUNCTION_RUNAWAY', 0))
  memory.keepSought(() => false)
  expect([...memory.blocked(1e12)]).toEqual([release])
})

it('forgets what worked and what nobody seeks any more', () => {
  const memory = create()
  memory.record(failure('OBJECT_MISSING', 0))
  memory.forget(release)
  expect(memory.get(release)).toBeUndefined()
  memory.record(failure('OBJECT_MISSING', 0))
  memory.keepSought((failed) => failed.release === release)
  expect(memory.get(release)).toBeDefined()
  memory.keepSought(() => false)
  expect(memory.isDue(1e12)).toBe(false)
})
