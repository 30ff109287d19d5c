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

function needleProgram(): Command {
  const program = new Command()
  const { signal } = new AbortController()
  const io = { stdout: silent, stderr: silent, isTerminal: false, cwd: root, env: {}, signal }
  for (const addCommand of commands) addCommand(program, io)
  return program
}

/** What of `needle <words and options>` the program does not have. */
function unknownParts(program: Command, line: string): string[] {
  const [name, below] = line.split(' ')
  const top = program.commands.find((command) => command.name() === name)
  if (top === undefined) return [line]
  const command = top.commands.find((each) => each.name() === below) ?? top
  const options = [...line.matchAll(/ (--[a-z-]+)/g)].map(([, option]) => option ?? '')
  return options
    .filter((option) => !command.options.some(({ long }) => long === option) && option !== '--help')
    .map((option) => `${name} ${option}`)
}

describe('README', () => {
  test('lists the errors a client can meet, as the authoring contract does', async () => {
    const contract = errorRows(await read('runtime/docs/authoring.md'))
    expect(contract.length).toBeGreaterThan(10)
    expect(errorRows(readme).toSorted(byText)).toEqual(contract.toSorted(byText))
  })

  test('names every needle command and no other', () => {
    const program = needleProgram()
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

describe('every page for people', () => {
  const pages = [
    'README.md',
    'functions/README.md',
    'pipeline/README.md',
    'pipeline/docs/setting-up.md',
    'scripts/playground/guide.ts',
  ]

  test.each(pages)('%s shows only commands and options that exist', async (page) => {
    const program = needleProgram()
    const lines = [...(await read(page)).matchAll(/(?:npx |`)needle ([a-z][^`|\n#]*)/g)]
    const unknown = lines.flatMap(([, line = '']) => unknownParts(program, line.trim()))
    expect(lines.length).toBeGreaterThan(0)
    expect(unknown).toEqual([])
  })

  test('setting-up.md links only to what is there, and names what the workflows read', async () => {
    const page = await read('pipeline/docs/setting-up.md')
    const links = [...page.matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)].map(([, path]) => path ?? '')
    await Promise.all(
      links.map((path) => expect(read(join('pipeline', 'docs', path))).resolves.not.toBe('')),
    )
    const workflows = (
      await Promise.all(['deploy', 'refresh'].map((name) => read(`.github/workflows/${name}.yml`)))
    ).join('\n')
    const wanted = [...workflows.matchAll(/(?:vars|secrets)\.(\w+)/g)].map(([, name]) => name ?? '')
    expect(links.length).toBeGreaterThan(3)
    expect(wanted.filter((name) => !page.includes(`\`${name}\``))).toEqual([])
  })
})
