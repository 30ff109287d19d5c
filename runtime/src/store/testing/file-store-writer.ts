import path from 'node:path'
import { createFileStore } from '../file.ts'
import { withFileLock } from '../file-lock.ts'

/** A process of its own for the tests of the file store: `<task> <directory>`; reports one number. */
const [task, directory = ''] = process.argv.slice(2)
const store = createFileStore(directory)
const text = (value: string): Uint8Array => new TextEncoder().encode(value)

if (task === 'count') report(await count(50))
else if (task === 'create') report(await create(50))
else {
  await withFileLock({ folder: path.join(directory, '.needle-store/locks'), name: 'held' }, () => {
    process.send?.('holding')
    return new Promise((resolve) => setTimeout(resolve, 60_000))
  })
}

/** Raises the counter so many times, each by a read and a conditional replace. */
async function count(times: number): Promise<number> {
  let done = 0
  while (done < times) {
    const read = await store.get('counter', { maxBytes: 40 })
    if (read.status !== 'found') throw new Error(`the counter is ${read.status}`)
    const next = Number.parseInt(new TextDecoder().decode(read.bytes), 10) + 1
    // Equal bytes count as written, so every raise has bytes of its own.
    const bytes = text(`${next} by ${process.pid}, ${done}`)
    const put = await store.put('counter', bytes, { condition: { etag: read.etag } })
    if (put.status === 'written') done += 1
  }
  return done
}

/** Tries to create every key and counts those it did. */
async function create(keys: number): Promise<number> {
  let created = 0
  for (let key = 0; key < keys; key += 1) {
    const put = await store.put(`race/${key}`, text(`process ${process.pid}`), {
      condition: 'absent',
    })
    if (put.status === 'written') created += 1
  }
  return created
}

function report(result: number): void {
  process.send?.(result, () => process.disconnect())
}
