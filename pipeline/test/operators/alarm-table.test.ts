import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { alarmCodes } from '../../src/alarms/alarm.ts'

test('the README lists exactly the codes of alarms, each once, with meaning and remedy', async () => {
  const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8')
  const section = readme.split('\n## Alarms\n')[1]?.split('### What a webhook gets')[0] ?? ''
  const rows = section.matchAll(/^\| `([A-Z_]+)` *\| *\S.*? *\| *\S.*? *\| *\S.*? *\|$/gm)
  const listed = [...rows].map((row) => row[1])
  expect(listed).toHaveLength(alarmCodes.length)
  expect(new Set(listed)).toEqual(new Set<unknown>(alarmCodes))
})
