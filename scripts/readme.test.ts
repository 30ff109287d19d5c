import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Command } from 'commander'
import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import { commands } from '../pipeline/src/commands/index.ts'

const root = join(import.meta.dirname, '..')
const read = (path: string): Promise<string> => readFile(join(root, path), 'utf8')
const readme = await read('README.md')

const packageSchema = z.object({ scripts: z.record(z.string(), z.string()) })
const silent = (): void => undefined
const byText = (a: unknown, b: unknown): number => String(a).localeCompare(String(b))

/** First two cells of each row that names an error code. */
function errorRows(markdown: string): [status: string, code: string][] {
  return [...markdown.matchAll(/^\|([^|]*)\|([^|]*)\|/gm)].flatMap(
    ([, first = '', second = '']) => {
      const cells = [first.trim(), second.trim()]
      const code = cells.find((cell) => /^`[A-Z_]+`$/.test(cell))
      const status = cells.find((cell) => /^\d{3}$/.test(cell))
      return code === undefined || status === undefined ? [] : [[status, code] as [string, string]]
    },
  )
}

describe('README', () => {
  test('lists the errors a client can meet, as the authoring contract does', async () => {
    const contract = errorRows(await read('runtime/docs/authoring.md'))
    expect(contract.length).toBeGreaterThan(10)
    expect(errorRows(readme).toSorted(byText)).toEqual(contract.toSorted(byText))
  })

  test('names every needle command and no other', () => {
    const program = new Command()
    const { signal } = new AbortController()
    const io = { stdout: silent, stderr: silent, isTerminal: false, cwd: root, env: {}, signal }
    for (const addCommand of commands) addCommand(program, io)
    const section = readme.slice(readme.indexOf('## Commands'), readme.indexOf('## Who may'))
    const named = [...section.matchAll(/`([a-z]+)`/g)].map(([, name]) => name)
    expect(named.toSorted(byText)).toEqual(
      program.commands.map((command) => command.name()).toSorted(byText),
    )
  })

  test('names only npm scripts that exist', async () => {
    const { scripts } = packageSchema.parse(JSON.parse(await read('package.json')))
    const named = [...readme.matchAll(/npm (?:run )?([a-z][\w:]*)/g)].map(([, name]) => name ?? '')
    const builtIn = new Set(['ci'])
    const unknown = named.filter((name) => !builtIn.has(name) && !Object.hasOwn(scripts, name))
    expect(named).toContain('start')
    expect(unknown).toEqual([])
  })

  test('links only to what is there', async () => {
    const links = [...readme.matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)].map(([, path]) => path ?? '')
    await Promise.all(links.map((path) => expect(read(path)).resolves.not.toBe('')))
    expect(links.length).toBeGreaterThan(3)
  })
})
