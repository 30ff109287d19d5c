import { expect, it } from 'vitest'
import { createJsonLog } from './json-log.ts'

function lineOf(fields: Record<string, unknown>): unknown {
  const lines: string[] = []
  createJsonLog((line) => lines.push(line)).info('here', fields)
  return JSON.parse(lines[0] ?? '')
}

const cyclic: Record<string, unknown> = {}
cyclic['self'] = cyclic

it.each<[string, Record<string, unknown>, string]>([
  ['a cycle', cyclic, 'Circular'],
  ['a big integer', { count: 1n }, '1n'],
  [
    'a toJSON that throws',
    {
      card: {
        toJSON: () => {
          throw new Error('no')
        },
        id: 7,
      },
    },
    'id: 7',
  ],
])('writes fields with %s as text', (_title, fields, told) => {
  expect(lineOf(fields)).toMatchObject({ message: 'here', fields: expect.stringContaining(told) })
})

it('keeps what it says itself from fields of the same name', () => {
  expect(lineOf({ level: 'fatal', message: 'other', time: 0, id: 1 })).toEqual({
    time: expect.stringMatching(/^\d{4}-/),
    level: 'info',
    message: 'here',
    id: 1,
  })
})
