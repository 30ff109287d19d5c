import { execFile } from 'node:child_process'
import { expect, it } from 'vitest'
import type { Goal } from './goals.ts'

const cost = (isMet: boolean): Goal => ({ what: 'cost', goal: 'at most 1', isMet })
const speed = (isMet: boolean): Goal => ({ what: 'speed', goal: 'at least 2', isMet })

it('ends a script well when every goal is met, or what has none is told', async () => {
  const well = { code: 0, stdout: 'told\n', stderr: '' }
  expect(await bind([cost(true), speed(true)])).toEqual(well)
  expect(await bind([{ what: 'size', goal: null, isMet: null }])).toEqual(well)
})

it('ends it with 1 when one is missed, and a last line that names what was', async () => {
  expect(await bind([cost(true), speed(false)])).toEqual({
    code: 1,
    stdout: 'told\n',
    stderr: 'Missed: speed (at least 2)\n',
  })
  expect((await bind([cost(false), speed(false)])).stderr).toBe(
    'Missed: cost (at most 1); speed (at least 2)\n',
  )
})

async function bind(goals: readonly Goal[]) {
  const source = `import { bindGoals } from ${JSON.stringify(new URL('./goals.ts', import.meta.url))}
    console.log('told')
    bindGoals(${JSON.stringify(goals)})`
  return await new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve) => {
    const child = execFile(
      process.execPath,
      ['--input-type=module', '--eval', source],
      (_error, stdout, stderr) => resolve({ code: child.exitCode, stdout, stderr }),
    )
  })
}
