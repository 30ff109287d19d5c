import { expect, it } from 'vitest'
import { divideTurns } from './event-loop-turns.ts'

const turns = [{ from: 100, to: 120, cpuMs: 15 }]

it.each([
  {
    name: 'nothing else but other programs',
    collections: [],
    topLevels: [],
    withoutGcMs: 20,
    ownMs: 15,
  },
  {
    name: 'a collection that began before it',
    collections: [{ from: 95, to: 104 }],
    topLevels: [],
    withoutGcMs: 16,
    ownMs: 15,
  },
  {
    name: 'top levels one after another',
    collections: [],
    topLevels: [
      { from: 110, to: 112 },
      { from: 101, to: 103 },
    ],
    withoutGcMs: 20,
    ownMs: 15,
  },
  {
    name: 'a collection in the middle of a top level',
    collections: [{ from: 104, to: 106 }],
    topLevels: [{ from: 102, to: 110 }],
    withoutGcMs: 18,
    ownMs: 12,
  },
  {
    name: 'what reaches over both its ends',
    collections: [{ from: 90, to: 130 }],
    topLevels: [{ from: 119, to: 140 }],
    withoutGcMs: 0,
    ownMs: 0,
  },
  {
    name: 'what happened at another time',
    collections: [{ from: 90, to: 100 }],
    topLevels: [{ from: 120, to: 125 }],
    withoutGcMs: 20,
    ownMs: 15,
  },
])('takes off $name', ({ collections, topLevels, withoutGcMs, ownMs }) => {
  expect(divideTurns({ turns, collections, topLevels })).toEqual([
    { totalMs: 20, withoutGcMs, ownMs, cpuMs: 15 },
  ])
})
