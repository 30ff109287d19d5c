import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Clock, systemClock as clock } from '../clock.ts'
import { digestOf } from '../manifest/digest.ts'
import { createCacheFaults } from './cache-faults.ts'
import { createCrashMemory } from './crash-memory.ts'

let directory: string
let file: string
beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'needle-crash-memory-'))
  file = path.join(directory, 'crashes.json')
})
afterEach(async () => {
  await rm(directory, { recursive: true, force: true })
})

const release = digestOf('a')
const work = { function: 'shop/card', release }
const isThere = async (): Promise<string> => 'loaded'

function create(where: string | null = file, now: Clock = clock) {
  const told: string[] = []
  const faults = createCacheFaults({ clock, onFault: ({ message }) => void told.push(message) })
  const onForgotten = (message: string): void => void told.push(message)
  const memory = createCrashMemory({ file: where, clock: now, faults, onForgotten })
  return { memory, faults, told }
}

/** What a process knows that starts now; it dies in a call, or when nothing is at work, when told so. */
async function startAgain(how: 'lives' | 'dies' | 'dies in a call' = 'lives', now = clock) {
  const { memory } = create(file, now)
  const before = await memory.start()
  if (how === 'dies in a call') memory.recordOf(work).begins()
  if (how === 'lives') memory.close()
  return { condemned: [...before.condemned.keys()], isProven: memory.isProven(release) }
}

/** A clock that stands still so long after now. */
const after = (ms: number): Clock => {
  const now = clock.now() + ms
  return { ...clock, now: () => now }
}

const toldOf = (kind: string): string[] =>
  readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line.includes(`"kind":"${kind}"`))
    .map((line) => JSON.parse(line).change)

it('tells of a call before it runs, and of the first and last of those at once only', async () => {
  const { memory } = create()
  await memory.start()
  const record = memory.recordOf(work)
  record.begins()
  expect(toldOf('call')).toEqual(['begin'])
  record.begins()
  record.ends()
  expect(toldOf('call')).toEqual(['begin'])
  record.ends()
  expect(toldOf('call')).toEqual(['begin', 'end'])
})

it('tells of a load while it lasts, also of one that fails', async () => {
  const { memory } = create()
  await memory.start()
  const loading = memory.duringLoad(work, async () => {
    expect(toldOf('load')).toEqual(['begin'])
    throw new Error('no')
  })
  await expect(loading).rejects.toThrow('no')
  expect(toldOf('load')).toEqual(['begin', 'end'])
})

it('condemns what was at work when two processes died, whatever ran cleanly in between', async () => {
  await startAgain('dies in a call')
  expect((await startAgain()).condemned).toEqual([])
  await startAgain('dies in a call')
  expect((await startAgain()).condemned).toEqual([release])
  expect((await startAgain()).condemned).toEqual([release])
})

it('tells of a proven release once, and of its work no more', async () => {
  const { memory } = create()
  await memory.start()
  const record = memory.recordOf(work)
  record.begins()
  record.graduates()
  record.ends()
  const before = readFileSync(file, 'utf8')
  expect(await memory.duringLoad(work, isThere)).toBe('loaded')
  record.begins()
  expect(readFileSync(file, 'utf8')).toBe(before)
  expect(await startAgain()).toEqual({ condemned: [], isProven: true })
})

async function prove() {
  const { memory } = create()
  await memory.start()
  memory.recordOf(work).graduates()
  memory.close()
}
/** The first time, nothing is on the record. */
async function dieThrice(): Promise<void> {
  for (let times = 0; times < 3; times++) await startAgain('dies in a call')
}

/** Whether a proven release is on the record so long after a start. */
async function watchedAfter(how: 'lives' | 'dies', ms = 0): Promise<boolean> {
  await prove()
  await startAgain(how)
  let now = clock.now()
  const { memory } = create(file, { ...clock, now: () => now })
  await memory.start()
  now += ms
  return memory.isOnRecord(release)
}

describe('after an end that was not clean', () => {
  const minuteMs = 60_000

  it('has what is proven on the record, too, for ten minutes', async () => {
    expect(await watchedAfter('lives')).toBe(false)
    expect(await watchedAfter('dies')).toBe(true)
    expect(await watchedAfter('dies', 10 * minuteMs - 1)).toBe(true)
    expect(await watchedAfter('dies', 10 * minuteMs)).toBe(false)
  })

  it('condemns for an hour what ends the process again and again although it is proven', async () => {
    await prove()
    await dieThrice()
    const condemned = { condemned: [release], isProven: true }
    expect(await startAgain('dies')).toEqual(condemned)
    expect(await startAgain('dies', after(59 * minuteMs))).toEqual(condemned)
    expect(await startAgain('dies', after(61 * minuteMs))).toMatchObject({ condemned: [] })
  })

  it('has on the record what is tried again, until that has gone well for ten minutes', async () => {
    await prove()
    await dieThrice()
    await startAgain('lives', after(1))
    const tried = create(file, after(61 * minuteMs)).memory
    expect((await tried.start()).watchedUntil).toBe(null)
    const record = tried.recordOf(work)
    expect(record.isWatched).toBe(true)
    tried.close()
    const later = create(file, after(71 * minuteMs)).memory
    await later.start()
    expect(later.recordOf(work).isWatched).toBe(false)
    expect(later.isOnRecord(release)).toBe(true)
    later.recordOf(work).graduates()
    later.close()
    const last = create(file, after(72 * minuteMs)).memory
    await last.start()
    expect(toldOf('call')).toEqual([])
    last.recordOf(work).begins()
    expect(toldOf('call')).toEqual(['begin'])
    last.close()
  })
})

it('forgets what is not wanted any more', async () => {
  await startAgain('dies in a call')
  const { memory } = create()
  await memory.start()
  memory.keepOnly(new Set([digestOf('other')]))
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({ suspects: {}, proven: [] })
})

it('charges nobody for a process that was closed with calls in flight', async () => {
  for (let times = 0; times < 2; times++) {
    const { memory } = create()
    await memory.start()
    memory.recordOf(work).begins()
    memory.close()
  }
  expect((await startAgain()).condemned).toEqual([])
})

it('does not disturb the process that follows it and has begun already', async () => {
  await startAgain('dies in a call')
  const { memory: outgoing } = create()
  await outgoing.start()
  outgoing.recordOf({ function: 'shop/other', release: digestOf('other') }).begins()
  await startAgain('dies in a call')
  outgoing.close()
  expect((await startAgain()).condemned).toEqual([release])
})

it('changes nothing on disk when it is closed before it has read that', async () => {
  await startAgain('dies in a call')
  await startAgain('dies in a call')
  create().memory.close()
  expect((await startAgain()).condemned).toEqual([release])
})

it('understands the file of a version before the journal', async () => {
  const proven = digestOf('b')
  const suspect = { function: 'shop/card', atWork: ['load'], crashes: { load: 1, call: 0 } }
  writeFileSync(file, JSON.stringify({ suspects: { [release]: suspect }, proven: [proven] }))
  const { memory, told } = create()
  expect([...(await memory.start()).condemned.keys()]).toEqual([release])
  expect(memory.isProven(proven)).toBe(true)
  expect(told).toEqual([])
})

it('sets aside what it cannot understand, says so, and remembers from there on', async () => {
  await startAgain('dies in a call')
  await startAgain('dies in a call')
  appendFileSync(file, 'nonsense\n')
  const { memory, told, faults } = create()
  expect((await memory.start()).condemned.size).toBe(0)
  expect(told).toEqual([
    `${file} cannot be read: line 3 is no entry. It lies as ${file}.damaged now, and a new one is begun: releases that ended the process before are tried again.`,
  ])
  expect(faults.current).toBe(null)
  expect(existsSync(`${file}.damaged`)).toBe(true)
  memory.recordOf(work).graduates()
  expect((await startAgain()).isProven).toBe(true)
})

it('works on where the file cannot be written, and says so once', async () => {
  writeFileSync(path.join(directory, 'taken'), '')
  const { memory, told, faults } = create(path.join(directory, 'taken', 'crashes.json'))
  await memory.start()
  const record = memory.recordOf(work)
  record.begins()
  record.ends()
  record.graduates()
  expect(memory.isProven(release)).toBe(true)
  expect(told).toEqual([expect.stringContaining('cannot be written: E')])
  expect(faults.current).toMatchObject({ code: 'CACHE_UNUSABLE', message: told[0] })
  memory.close()
  expect(told).toHaveLength(1)
})

it('remembers nothing without a file', async () => {
  const { memory } = create(null)
  expect((await memory.start()).condemned.size).toBe(0)
  expect(await memory.duringLoad(work, isThere)).toBe('loaded')
  memory.recordOf(work).begins()
  memory.close()
  expect((await create(null).memory.start()).condemned.size).toBe(0)
})
