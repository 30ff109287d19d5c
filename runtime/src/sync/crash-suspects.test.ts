import { describe, expect, it } from 'vitest'
import { type Digest, digestOf } from '../manifest/digest.ts'
import {
  afterCrash,
  isCondemned,
  type Suspect,
  suspectAfter,
  type WorkKind,
} from './crash-suspects.ts'

const [a, b, c] = [digestOf('a'), digestOf('b'), digestOf('c')]
const hourMs = 60 * 60 * 1000

const begun = (kind: WorkKind, before?: Suspect, release = a) =>
  suspectAfter(before, { change: 'begin', kind, release, function: 'shop/card' })
const ended = (kind: WorkKind, before: Suspect | undefined) =>
  suspectAfter(before, { change: 'end', kind, release: a })

type Suspects = ReadonlyMap<Digest, Suspect>
interface Crash {
  readonly proven?: readonly Digest[]
  readonly now?: number
}

/** What is known after the process ended with these at work, in the order in which they began. */
function crashedWith(
  releases: readonly Digest[],
  before: Suspects = new Map(),
  { proven = [], now = 0 }: Crash = {},
): Suspects {
  const suspects = new Map(before)
  for (const release of releases) {
    const suspect = begun('call', suspects.get(release), release)
    suspects.delete(release)
    if (suspect !== undefined) suspects.set(release, suspect)
  }
  return afterCrash(suspects, { proven: new Set(proven), now })
}

/** As above, so often in a row. */
function crashed(times: number, releases: readonly Digest[], crash?: Crash): Suspects {
  return Array.from({ length: times }).reduce<Suspects>(
    (before) => crashedWith(releases, before, crash),
    new Map(),
  )
}

const condemnedOf = (suspects: Suspects, now = 0) =>
  [...suspects].flatMap(([release, suspect]) => (isCondemned(suspect, now) ? [release] : []))

/** Of `a`, once it was at this when the process ended. */
const crashedAt = (kind: WorkKind, before?: Suspect): Suspect | undefined => {
  const suspect = begun(kind, before)
  const suspects = new Map(suspect && [[a, suspect]])
  return afterCrash(suspects, { proven: new Set(), now: 0 }).get(a)
}
const isTriedAgain = (suspect: Suspect | undefined) =>
  suspect === undefined || !isCondemned(suspect, 0)

describe('who was at work when the process ended', () => {
  it('is condemned after the second time, for good', () => {
    const once = crashedAt('call')
    expect(isTriedAgain(once)).toBe(true)
    const twice = crashedAt('call', once)
    expect(isTriedAgain(twice)).toBe(false)
    expect(twice).toMatchObject({
      function: 'shop/card',
      atWork: [],
      condemnation: { times: 1, until: null },
    })
  })

  it('is charged with nothing once it came to an end', () => {
    expect(ended('call', begun('call'))).toBe(undefined)
  })

  it('is forgiven crashes during loads once one came to its end, but not crashes during calls', () => {
    const load = ended('load', begun('load', crashedAt('load')))
    expect(isTriedAgain(crashedAt('load', load))).toBe(true)
    const call = ended('call', begun('call', crashedAt('call')))
    expect(isTriedAgain(crashedAt('call', call))).toBe(false)
  })

  it('has no crash of a load added to one of a call', () => {
    expect(isTriedAgain(crashedAt('load', crashedAt('call')))).toBe(true)
  })

  it('is charged one crash for what was told twice to begin', () => {
    const twice = begun('call', begun('call'))
    expect(crashedAt('call', twice)).toMatchObject({ crashes: { call: 1 } })
  })

  it('is acquitted when it proves itself', () => {
    const proven = suspectAfter(begun('call', crashedAt('call')), { change: 'proven', release: a })
    expect(proven).toBe(undefined)
  })
})

describe('of several at work when the process ended', () => {
  it('only one is condemned at a time: who began last', () => {
    const twice = crashed(2, [a, b, c])
    expect(condemnedOf(twice)).toEqual([c])
    const thrice = crashedWith([a, b], twice)
    expect(condemnedOf(thrice)).toEqual([c, b])
  })

  it('who was at work most often', () => {
    const suspects = crashedWith([b, c], crashedWith([c, b], crashed(1, [b])))
    expect(condemnedOf(suspects)).toEqual([b])
  })

  it('none is condemned that was not at work at the last end', () => {
    expect(condemnedOf(crashedWith([c], crashed(2, [a, b])))).toEqual([b])
  })

  it('one may be innocent, and is tried again later', () => {
    const twice = crashed(2, [a, b])
    expect(condemnedOf(twice, hourMs - 1)).toEqual([b])
    expect(condemnedOf(twice, hourMs)).toEqual([])
    const alone = crashedWith([b], twice, { now: hourMs })
    expect(alone.get(b)).toMatchObject({ condemnation: { times: 2, until: null } })
  })
})

describe('a release that had proven itself', () => {
  const crash = { proven: [a] }

  it('is condemned for an hour, then for two, up to a day', () => {
    const held = [2, 3, 4, 5, 6, 7, 20].map((times) => crashed(times, [a], crash).get(a))
    expect(held.map((suspect) => suspect?.condemnation?.until)).toEqual(
      [1, 2, 4, 8, 16, 24, 24].map((hours) => hours * hourMs),
    )
  })

  it('is acquitted when it proves itself once more, and condemned for longer the next time', () => {
    const acquitted = suspectAfter(crashed(2, [a], crash).get(a), { change: 'proven', release: a })
    expect(acquitted).toMatchObject({ crashes: { call: 0 }, condemnation: { times: 1 } })
    const anew = new Map(acquitted && [[a, acquitted]])
    const once = crashedWith([a], anew, { ...crash, now: hourMs })
    expect(condemnedOf(once, hourMs)).toEqual([])
    const twice = crashedWith([a], once, { ...crash, now: hourMs })
    expect(twice.get(a)).toMatchObject({ condemnation: { times: 2, until: 3 * hourMs } })
  })
})
