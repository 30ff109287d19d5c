import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Bulkhead, type WaitingLine } from './bulkhead.ts'

/** As the calls of one revision: names of those that run, and of those that wait with their tickets. */
function createLine(bulkhead: Bulkhead, maxConcurrency: number) {
  const running: string[] = []
  const waiting: { name: string; ticket: number }[] = []
  const line: WaitingLine = {
    maxConcurrency,
    get runningCount() {
      return running.length
    },
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
    isFull: (maxQueue: number) => bulkhead.isFull(running.length, { maxConcurrency, maxQueue }),
    begin: (name: string) => {
      if (bulkhead.enter(running.length, maxConcurrency)) running.push(name)
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
  it('is full by the totals of all revisions', () => {
    const bulkhead = new Bulkhead()
    const [old, next] = [createLine(bulkhead, 1), createLine(bulkhead, 1)]
    expect([old.isFull(0), next.isFull(0)]).toEqual([false, false])
    old.begin('a')
    expect([old.isFull(0), next.isFull(0)]).toEqual([true, true])
    expect([old.isFull(1), next.isFull(1)]).toEqual([false, false])
    next.begin('b')
    expect(next.waiting).toHaveLength(1)
    expect([old.isFull(1), next.isFull(1), next.isFull(2)]).toEqual([true, true, false])
    next.giveUp('b')
    expect([old.isFull(1), next.isFull(1)]).toEqual([false, false])
  })

  it('lets each revision have its own limit, and all together the highest', () => {
    const bulkhead = new Bulkhead()
    const [small, large] = [createLine(bulkhead, 1), createLine(bulkhead, 3)]
    large.begin('a')
    large.begin('b')
    small.begin('c')
    expect(small.running).toEqual(['c'])
    expect([small.isFull(0), large.isFull(0)]).toEqual([true, true])
    small.end('c')
    large.begin('d')
    expect([small.isFull(0), large.isFull(0)]).toEqual([true, true])
  })

  it('forgets the highest limit once nothing runs', () => {
    const bulkhead = new Bulkhead()
    const [large, ...small] = [3, 1, 1].map((limit) => createLine(bulkhead, limit))
    large?.begin('a')
    large?.end('a')
    small[0]?.begin('b')
    expect(small[1]?.isFull(0)).toBe(true)
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

  it('passes over a call whose revision has as many as it may, for one that has not', () => {
    const bulkhead = new Bulkhead()
    const [small, large] = [createLine(bulkhead, 1), createLine(bulkhead, 3)]
    small.begin('a')
    large.begin('b')
    large.begin('c')
    small.begin('first')
    large.begin('second')
    large.end('b')
    expect([small.running, large.running]).toEqual([['a'], ['c', 'second']])
    large.end('c')
    expect([small.running, large.running]).toEqual([['a'], ['second']])
    small.end('a')
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
        steps.forEach(({ act, side, at }, index) => {
          const line = lines[side]
          const waits = line?.waiting[at % line.waiting.length]?.name
          const runs = line?.running[at % line.running.length]
          if (act === 'begin') line?.begin(`${index}`)
          if (act === 'giveUp' && waits !== undefined) line?.giveUp(waits)
          if (act === 'end' && runs !== undefined) {
            const waited = lines.flatMap(({ waiting }) => [...waiting])
            line?.end(runs)
            const admitted = waited.filter(({ name }) => running().includes(name))
            for (const { waiting, running: own, maxConcurrency } of lines) {
              const older = waiting.filter(({ ticket }) => admitted.some((b) => b.ticket > ticket))
              if (older.length > 0 && own.length < maxConcurrency) wrong.push(older)
            }
          }
          const total = running().length
          for (const { waiting, running: own, maxConcurrency } of lines) {
            if (own.length > maxConcurrency) wrong.push(own)
            // Whoever waits finds as many as its limit says, of its own or of all.
            if (waiting.length > 0 && total < maxConcurrency) wrong.push(waiting)
          }
          if (total > Math.max(...each)) wrong.push(total)
        })
        expect(wrong).toEqual([])
        for (const line of lines) while (line.waiting[0]) line.giveUp(line.waiting[0].name)
        for (const line of lines) while (line.running[0] !== undefined) line.end(line.running[0])
        expect(bulkhead.enter(0, 1)).toBe(true)
        expect(bulkhead.isFull(1, { maxConcurrency: 1, maxQueue: 1 })).toBe(false)
      }),
    )
  })
})
