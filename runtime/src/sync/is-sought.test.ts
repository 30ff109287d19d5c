import { expect, it } from 'vitest'
import type { FunctionState, ReleaseRef } from '../manifest/group-document.ts'
import type { QuarantineEntry } from '../manifest/quarantine.ts'
import {
  testFunctionState,
  testQuarantineEntry,
  testRef,
  testRelease,
  testRollout,
  testStop,
} from '../manifest/testing/test-documents.ts'
import { isSought } from './is-sought.ts'
import { createLazyRevision, type LazyRevision } from './lazy-revision.ts'
import { emptyServing, type Serving } from './serving.ts'

const [stable, previous, canary] = [testRef('stable'), testRef('previous'), testRef('canary')]
const state = testFunctionState(stable, { previous: [previous], rollout: testRollout(canary) })

const unloaded = ({ release }: ReleaseRef): LazyRevision =>
  createLazyRevision({
    release: testRelease(),
    releaseDigest: release,
    load: () => Promise.reject(new Error('Nobody calls it')),
  })

function sought(
  serving: ReleaseRef | null,
  given: Partial<FunctionState> = {},
  quarantine: readonly QuarantineEntry[] = [],
) {
  const desired = { functions: new Map([['shop/card', { ...state, ...given }]]), quarantine }
  const slot = {
    function: 'shop/card',
    stable: serving === null ? null : { ref: serving, revision: unloaded(serving) },
    canary: null,
    http: { method: 'GET', path: '/' },
    stopped: false,
    since: 0,
    manifestVersion: 1,
  } as const
  const slots: Serving['slots'] = new Map(serving === null ? [] : [['shop/card', slot]])
  return [stable, canary, previous, testRef('another')]
    .map(({ release }) => release)
    .filter((release) =>
      isSought({ function: 'shop/card', release }, desired, { ...emptyServing, slots }),
    )
}

it('seeks what is desired and does not serve', () => {
  expect(sought(stable)).toEqual([canary.release])
  expect(sought(previous)).toEqual([stable.release, canary.release])
})

it('seeks what was proven before only where nothing serves', () => {
  expect(sought(null)).toEqual([stable.release, canary.release, previous.release])
})

it('seeks no canary of a function that is stopped, and nothing quarantined', () => {
  expect(sought(stable, { hold: testStop })).toEqual([])
  expect(sought(previous, { rollout: null }, [testQuarantineEntry(stable)])).toEqual([])
})

it('seeks nothing of a function that is gone', () => {
  const gone = { functions: new Map(), quarantine: [] }
  expect(isSought({ function: 'shop/card', release: stable.release }, gone, emptyServing)).toBe(
    false,
  )
})
