import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'

test('the README lists exactly the codes of the union, each once, with cause and remedy', async () => {
  const source = await read('../../src/errors.ts')
  const union = /type PipelineErrorCode =([\s\S]*?)\n\n/.exec(source)?.[1] ?? ''
  const codes = [...union.matchAll(/'([A-Z_]+)'/g)].map((match) => match[1])
  const table = (await read('../../README.md')).split('## Errors')[1] ?? ''
  const rows = [...table.matchAll(/^\| `([A-Z_]+)` *\| *\S.*? *\| *\S.*? *\|$/gm)]
  const listed = rows.map((row) => row[1])
  expect(codes.length).toBeGreaterThan(20)
  expect(new Set(listed).size).toBe(listed.length)
  expect(new Set(listed)).toEqual(new Set(codes))
})

function read(path: string): Promise<string> {
  return readFile(new URL(path, import.meta.url), 'utf8')
}
