import { execFile } from 'node:child_process'
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import * as z from 'zod'
import { createJournal, type Journal } from './journal.ts'
import { parseJournal } from './parse-journal.ts'

let directory: string
let file: string
beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'needle-journal-'))
  file = path.join(directory, 'production', 'crashes.json')
})
afterEach(async () => {
  await rm(directory, { recursive: true, force: true })
})

const schema = z.object({ sum: z.int() })
type Sum = z.infer<typeof schema>

/** Keeps a sum: each entry is what it is now. */
function create() {
  const told: string[] = []
  let now = 0
  let sum = 0
  const journal: Journal<Sum> = createJournal({
    file,
    schema,
    snapshot: () => ({ sum }),
    now: () => now,
    onFault: (cause) => void told.push(`fault: ${String(cause)}`),
    onMended: () => void told.push('mended'),
    onSetAside: (aside, cause) => void told.push(`${aside}: ${String(cause)}`),
  })
  return {
    journal,
    told,
    add: () => {
      sum += 1
      journal.append({ sum })
    },
    wait: (ms: number) => void (now += ms),
  }
}
const read = async () => (await create().journal.read()).map(({ sum }) => sum)

/** What a journal's user was told by a process with these limits, and what it left on disk. */
async function writeIn(limits: string) {
  const child = fileURLToPath(new URL('./testing/journal-process.ts', import.meta.url))
  mkdirSync(path.dirname(file))
  chmodSync(directory, 0o755)
  chmodSync(path.dirname(file), 0o777)
  const script = `${limits} && exec "$0" --conditions=needle-source "$1" "$2"`
  const { stdout } = await promisify(execFile)('sh', ['-c', script, process.execPath, child, file])
  const told: unknown = JSON.parse(stdout)
  return { told, left: readdirSync(path.dirname(file)) }
}

describe('a journal', () => {
  it('tells the next process what it was told, without being closed', async () => {
    const { journal, add } = create()
    expect(await journal.read()).toEqual([])
    journal.fold()
    add()
    add()
    expect(await read()).toEqual([0, 1, 2])
  })

  it('goes on after a line that a killed process left unfinished', async () => {
    const { journal, add } = create()
    journal.fold()
    add()
    appendFileSync(file, '{"su')
    expect(await read()).toEqual([0, 1])
    const next = create()
    await next.journal.read()
    next.journal.fold()
    next.add()
    expect(await read()).toEqual([0, 1])
    expect(next.told).toEqual(['mended'])
  })

  it('is one entry after a fold, and leaves nothing beside it', async () => {
    const { journal, add } = create()
    journal.fold()
    add()
    add()
    journal.fold()
    expect(readFileSync(file, 'utf8')).toBe('{"sum":2}\n')
    expect(readdirSync(path.dirname(file))).toEqual(['crashes.json'])
  })

  it('takes what a process left that died while it folded for nothing', async () => {
    const { journal, add } = create()
    journal.fold()
    add()
    writeFileSync(`${file}.new`, '{"sum":')
    expect(await read()).toEqual([0, 1])
    journal.fold()
    expect(await read()).toEqual([1])
  })

  it('is folded when it has grown past its bound, and loses nothing', async () => {
    const { journal, add } = create()
    journal.fold()
    let largest = 0
    for (let entry = 0; entry < 60_000; entry++) {
      add()
      if (entry % 100 === 0) largest = Math.max(largest, statSync(file).size)
    }
    expect(largest).toBeGreaterThan(200 * 1024)
    expect(largest).toBeLessThan(260 * 1024)
    expect((await read()).at(-1)).toBe(60_000)
  })

  it('takes nothing after its end', async () => {
    const { journal, add } = create()
    journal.fold()
    journal.close()
    add()
    journal.fold()
    expect(await read()).toEqual([0])
  })

  it.each([
    ['is no journal', () => writeFileSync(file, 'what is this\n{"sum":1}\n'), 'line 1 is no entry'],
    ['is a folder', () => mkdirSync(file), 'EISDIR'],
    ['has no end', () => writeFileSync(file, Buffer.alloc(17 * 1024 * 1024)), 'bytes'],
  ])('sets aside what %s, says where and why, and begins anew', async (_, damage, why) => {
    mkdirSync(path.dirname(file))
    damage()
    const { journal, told, add } = create()
    expect(await journal.read()).toEqual([])
    expect(told).toEqual([expect.stringMatching(new RegExp(`^${file}.damaged: .*${why}`))])
    journal.fold()
    add()
    expect(await read()).toEqual([0, 1])
    expect(statSync(`${file}.damaged`)).toBeDefined()
  })
})

describe('a journal that cannot be written', () => {
  it('says so, does not try again at once, and is whole again later', async () => {
    const { journal, told, add, wait } = create()
    writeFileSync(path.dirname(file), 'in the way')
    expect(await journal.read()).toEqual([])
    journal.fold()
    add()
    add()
    expect(told).toEqual([expect.stringContaining('fault: Error: EEXIST')])

    await rm(path.dirname(file))
    add()
    expect(told).toHaveLength(1)
    wait(10_000)
    add()
    add()
    expect(told.slice(1)).toEqual(['mended'])
    expect(await read()).toEqual([4, 5])
  })

  it('on a full disk loses the line that did not fit, and begins again when it has been folded', async () => {
    // Blocks of 512 bytes.
    const { told, left } = await writeIn('ulimit -f 1')
    const short = expect.stringContaining('no space left')
    expect(told).toEqual(['mended', short, 'mended', short])
    expect(left).toEqual(['crashes.json'])
    const text = readFileSync(file, 'utf8')
    expect(text).not.toMatch(/\n$/)
    const entries = await parseJournal(text, z.object({ entry: z.int(), filler: z.string() }))
    expect(entries.map(({ entry }) => entry)).toEqual([11, 12, 13, 14, 15])
  })

  it('on a disk that is read-only is not there, and harms nobody', async () => {
    const { told, left } = await writeIn(`chmod 555 '${path.dirname(file)}'`)
    expect(told).toEqual(['EACCES', 'EACCES'])
    expect(left).toEqual([])
  })
})
