import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'

test('the README lists exactly the codes of the union, each with a cause and a remedy', async () => {
  const read = (path: string): Promise<string> => readFile(new URL(path, import.meta.url), 'utf8')
  const source = await read('../../src/errors.ts')
  const union = /type PipelineErrorCode =([\s\S]*?)\n\n/.exec(source)?.[1] ?? ''
  const codes = [...union.matchAll(/'([A-Z_]+)'/g)].map((match) => match[1])
  const table = (await read('../../README.md')).split('## Errors')[1] ?? ''
  const rows = [...table.matchAll(/^\| `([A-Z_]+)` \| (.+) \| (.+) \|$/gm)]
  expect(codes.length).toBeGreaterThan(20)
  expect(rows.map((row) => row[1]).toSorted()).toEqual(codes.toSorted())
})
