import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import * as z from 'zod'
import { parseJournal } from './parse-journal.ts'

const schema = z.object({ at: z.int(), note: z.string() })

it('reads what was written, up to the line in which the process was killed', async () => {
  const entry = fc.record({ at: fc.integer(), note: fc.string({ unit: 'binary' }) })
  await fc.assert(
    fc.asyncProperty(fc.array(entry), fc.nat(), async (entries, where) => {
      const lines = entries.map((each) => `${JSON.stringify(each)}\n`)
      const bytes = Buffer.from(lines.join(''))
      const cut = where % (bytes.length + 1)
      // A line that lacks nothing but its end is whole.
      let whole = 0
      for (let end = -1; whole < lines.length; whole++) {
        end += Buffer.byteLength(lines[whole] ?? '')
        if (end > cut) break
      }
      expect(await parseJournal(bytes.subarray(0, cut).toString(), schema)).toEqual(
        entries.slice(0, whole),
      )
    }),
  )
})

it.each(['{"at":1,"no', '{"at":1}', '', '\0\0\0'])(
  'refuses %j before the last line',
  async (line) => {
    const good = '{"at":1,"note":""}\n'
    await expect(parseJournal(`${good}${line}\n${good}`, schema)).rejects.toThrow(
      'line 2 is no entry',
    )
    expect(await parseJournal(`${good}${line}`, schema)).toHaveLength(1)
  },
)

it('lets others have their turn in between', async () => {
  let turns = 0
  const counting = setInterval(() => (turns += 1), 0)
  const lines = Array.from({ length: 20_000 }, (_, at) => `${JSON.stringify({ at, note: '' })}\n`)
  const entries = await parseJournal(lines.join(''), schema)
  clearInterval(counting)
  expect(entries).toHaveLength(20_000)
  expect(turns).toBeGreaterThan(0)
})
