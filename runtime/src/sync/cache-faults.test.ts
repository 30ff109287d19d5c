import { expect, it } from 'vitest'
import { createCacheFaults } from './cache-faults.ts'

function create() {
  const told: string[] = []
  const faults = createCacheFaults({
    clock: { now: () => 0, sleep: async () => {} },
    onFault: ({ message }) => told.push(message),
  })
  return { faults, told }
}

it('shows that the next start needs the store, although crashes were forgotten first', () => {
  const { faults, told } = create()
  faults.fail('crashes', 'forgets crashes')
  faults.fail('access', 'needs the store')
  expect(faults.current?.message).toBe('needs the store')
  expect(told).toEqual(['forgets crashes', 'needs the store'])

  faults.mend('access')
  expect(faults.current?.message).toBe('forgets crashes')
})

it('tells nothing new of one that is no worse', () => {
  const { faults, told } = create()
  faults.fail('access', 'needs the store')
  faults.fail('commit', 'needs it still')
  faults.fail('crashes', 'forgets crashes')
  faults.fail('access', 'needs the store')
  expect(told).toEqual(['needs the store'])
  expect(faults.current?.message).toBe('needs it still')
})
