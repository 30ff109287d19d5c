import { isDeepStrictEqual } from 'node:util'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Bulkhead, type WaitingLine } from './bulkhead.ts'

/** As the calls of one revision: names of those that run, and of those that wait with their tickets. */
function createLine(bulkhead: Bulkhead, maxConcurrency: number) {
  const running: string[] = []
  const waiting: { name: string; ticket: number }[] = []
  const line: WaitingLine = {
    maxConcurrency,
    get firstTicket() {
      return waiting[0]?.ticket ?? Infinity
    },
    admitFirst: () => {
      const first = waiting.shift()
      if (first !== undefined) running.push(first.name)
    },
  }
  return {
    maxConcurrency,
    running,
    waiting,
    begin: (name: string) => {
      if (bulkhead.enter(maxConcurrency)) running.push(name)
      else waiting.push({ name, ticket: bulkhead.wait(line) })
    },
    end: (name: string) => {
      running.splice(running.indexOf(name), 1)
      bulkhead.leave()
    },
    giveUp: (name: string) => {
      waiting.splice(
        waiting.findIndex((each) => each.name === name),
        1,
      )
      bulkhead.giveUp(line)
    },
  }
}

describe('the bulkhead of a function', () => {
  it('is full by the totals of all revisions, under the limits of the one that asks', () => {
    const bulkhead = new Bulkhead()
    const [small, large] = [createLine(bulkhead, 1), createLine(bulkhead, 2)]
    large.begin('a')
    expect(bulkhead.isFull(1, 0)).toBe(true)
    expect(bulkhead.isFull(2, 0)).toBe(false)
    small.begin('b')
    expect(small.waiting).toHaveLength(1)
    expect(bulkhead.isFull(1, 1)).toBe(true)
    expect(bulkhead.isFull(1, 2)).toBe(false)
    small.giveUp('b')
    expect(bulkhead.isFull(1, 1)).toBe(false)
  })

  it('gives turns in the order of arrival across revisions', () => {
    const bulkhead = new Bulkhead()
    const [old, next] = [createLine(bulkhead, 1), createLine(bulkhead, 1)]
    old.begin('a')
    next.begin('b')
    old.begin('c')
    next.begin('d')
    old.end('a')
    expect([old.running, next.running]).toEqual([[], ['b']])
    next.end('b')
    expect([old.running, next.running]).toEqual([['c'], []])
    old.end('c')
    expect([old.running, next.running]).toEqual([[], ['d']])
  })

  it('passes over a call whose revision does not allow as many, for one whose does', () => {
    const bulkhead = new Bulkhead()
    const [small, large] = [createLine(bulkhead, 1), createLine(bulkhead, 2)]
    large.begin('a')
    large.begin('b')
    small.begin('first')
    large.begin('second')
    large.end('a')
    expect([small.running, large.running]).toEqual([[], ['b', 'second']])
    large.end('b')
    expect(small.running).toEqual([])
    large.end('second')
    expect(small.running).toEqual(['first'])
  })

  it('admits whoever may run, the oldest first, and has all places back in the end', () => {
    const step = fc.record({
      act: fc.constantFrom('begin', 'begin', 'end', 'giveUp'),
      side: fc.nat(2),
      at: fc.nat(9),
    })
    const limits = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 3, maxLength: 3 })
    fc.assert(
      fc.property(limits, fc.array(step, { maxLength: 60 }), (each, steps) => {
        const bulkhead = new Bulkhead()
        const lines = each.map((limit) => createLine(bulkhead, limit))
        const running = () => lines.flatMap((line) => line.running)
        const wrong: unknown[] = []
        /** Whose turn it is, were there one less. */
        const nextOf = () =>
          lines
            .flatMap((line) => (running().length <= line.maxConcurrency ? line.waiting : []))
            .toSorted((a, b) => a.ticket - b.ticket)
            .at(0)?.name
        steps.forEach(({ act, side, at }, index) => {
          const line = lines[side]
          const waits = line?.waiting[at % line.waiting.length]?.name
          const runs = line?.running[at % line.running.length]
          if (act === 'begin') line?.begin(`${index}`)
          if (act === 'giveUp' && waits !== undefined) line?.giveUp(waits)
          if (act === 'end' && runs !== undefined) {
            const next = nextOf()
            const left = running().filter((name) => name !== runs)
            line?.end(runs)
            const due = [...left, ...(next === undefined ? [] : [next])]
            if (!isDeepStrictEqual(running().toSorted(), due.toSorted())) wrong.push(due)
          }
          const blocked = lines.filter(({ waiting }) => waiting.length > 0)
          const least = Math.max(0, ...blocked.map(({ maxConcurrency }) => maxConcurrency))
          expect(running().length).toBeGreaterThanOrEqual(least)
          expect(running().length).toBeLessThanOrEqual(Math.max(...each))
        })
        expect(wrong).toEqual([])
        for (const line of lines) while (line.waiting[0]) line.giveUp(line.waiting[0].name)
        for (const line of lines) while (line.running[0] !== undefined) line.end(line.running[0])
        expect(bulkhead.isFull(1, 0)).toBe(false)
        expect(bulkhead.enter(1)).toBe(true)
        expect(bulkhead.isFull(1, 1)).toBe(false)
      }),
    )
  })
})
