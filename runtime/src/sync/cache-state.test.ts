import { expect, it } from 'vitest'
import { testRef } from '../manifest/testing/test-documents.ts'
import { type CacheState, parseCacheState } from './cache-state.ts'

const lastGood = Object.fromEntries(
  Array.from({ length: 5_000 }, (_, at) => [`shop/f${at}`, testRef(`f${at}`)]),
)
const state: CacheState = {
  highestSeen: { epoch: 1, version: 2, digest: testRef('manifest').release },
  lastGood,
  unfinished: { digest: testRef('next').release, attempts: 1 },
  recent: ['shop/f1'],
}

it('reads what was written, and lets others have their turn in between', async () => {
  let turns = 0
  const counting = setInterval(() => (turns += 1), 0)
  expect(await parseCacheState(JSON.stringify(state))).toEqual(state)
  clearInterval(counting)
  // Two at most before it looks at the releases.
  expect(turns).toBeGreaterThan(2)
})

it('takes a state from before functions were noted that were called lately', async () => {
  const { recent: _, ...older } = state
  expect(await parseCacheState(JSON.stringify(older))).toEqual({ ...state, recent: [] })
})

it.each([
  ['cut short', JSON.stringify(state).slice(0, -1), 'JSON'],
  ['of another kind', '{}', 'lastGood'],
  [
    'with a release that is none',
    JSON.stringify({ ...state, lastGood: { ...lastGood, 'shop/f7': { release: 'f7' } } }),
    'sizeBytes',
  ],
])('refuses one %s', async (_, text, why) => {
  await expect(parseCacheState(text)).rejects.toThrow(why)
})
