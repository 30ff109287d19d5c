import * as z from 'zod'
import { createJournal } from '../journal.ts'

/**
 * Writes a journal where it must not, or cannot: `<file>`. Ten entries of about 100 bytes, at once
 * and again 10 seconds later, while the snapshot stays small; prints what its user was told.
 */
const [file = ''] = process.argv.slice(2)

// As root everything may be written.
if (process.getuid?.() === 0) process.seteuid?.(65_534)

let now = 0
let last = 0
const told: string[] = []
const journal = createJournal({
  file,
  schema: z.object({ entry: z.int(), filler: z.string() }),
  snapshot: () => ({ entry: last, filler: '' }),
  now: () => now,
  onFault: (cause) =>
    void told.push(cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause)),
  onMended: () => void told.push('mended'),
  onSetAside: () => void told.push('set aside'),
})
await journal.read()
journal.fold()
for (const at of [0, 10_000]) {
  now = at
  for (let entry = 0; entry < 10; entry++) {
    last += 1
    journal.append({ entry: last, filler: '.'.repeat(75) })
  }
}
console.log(JSON.stringify(told))
