import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { seconds, wholeNumber } from './command-line.ts'
import { goalsInHelp } from './goals.ts'

describe('the command line of a script', () => {
  const scripts = [
    'start.ts',
    'tour.ts',
    's3.ts',
    'soak-leak.ts',
    'soak-swap.ts',
    'bench/bench.ts',
    'bench/many.ts',
    'bench/merge-to-live.ts',
  ]

  test.each(scripts)('%s tells its usage and does nothing else', async (script) => {
    const { code, stdout } = await run(script, '--help')
    expect(stdout).toMatch(/^Usage: npm (start|run [a-z:3-]+) -- /)
    expect(code).toBe(0)
  })

  test.each([
    'sim-breaker.ts',
    'soak-leak.ts',
    'bench/bench.ts',
    'bench/fleet-bench.ts',
    'bench/many.ts',
    'bench/merge-to-live.ts',
  ])('%s tells that a missed goal is in its exit code', async (script) => {
    const { stdout } = await run(script, '--help')
    expect(stdout.replaceAll(/\s+/g, ' ')).toContain(goalsInHelp)
  })

  test.each(scripts)('%s refuses an option it does not know in one line', async (script) => {
    const { code, stderr } = await run(script, '--roundz')
    expect(stderr).toContain("error: unknown option '--roundz'")
    expect(stderr).not.toContain('    at ')
    expect(code).toBe(2)
  })

  test.each([
    ['bench/bench.ts', '--rounds', 'ten'],
    ['bench/many.ts', '--only', 'nothing'],
    ['bench/merge-to-live.ts', '--poll', '-5'],
    ['soak-leak.ts', '--swaps', '0'],
    ['soak-swap.ts', '--swaps', '0'],
    ['s3.ts', '--port', '80'],
  ])('%s refuses %s %s and names what it takes', async (script, option, value) => {
    const { code, stderr } = await run(script, option, value)
    expect(stderr).toMatch(
      new RegExp(`error: option '${option} <.+>' argument '${value}' is invalid. .+`),
    )
    expect(code).toBe(2)
  })
})

test('numbers are read whole or not at all', () => {
  expect(wholeNumber(1)('20')).toBe(20)
  for (const text of ['', ' ', '1.5', '0', '2x', 'NaN', 'Infinity']) {
    expect(() => wholeNumber(1)(text)).toThrow('Use a whole number, 1 or more.')
  }
  expect(() => wholeNumber(1, 9)('10')).toThrow('Use a whole number, 1 to 9.')
  expect(seconds('0.5')).toBe(0.5)
  for (const text of ['', '0', '-1', 'soon']) expect(() => seconds(text)).toThrow('Use seconds')
})

async function run(script: string, ...args: string[]) {
  return await new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve) => {
    const child = execFile(
      process.execPath,
      ['--conditions=needle-source', join(import.meta.dirname, script), ...args],
      (_error, stdout, stderr) => resolve({ code: child.exitCode, stdout, stderr }),
    )
  })
}
