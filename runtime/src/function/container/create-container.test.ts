import { setTimeout as delay } from 'node:timers/promises'
import * as vm from 'node:vm'
import { describe, expect, it, onTestFinished } from 'vitest'
import { artifactOf, bundle } from '../testing/revision-fixture.ts'
import {
  allowedBuiltins,
  builtinModuleSource,
  revisionIdOf,
  scriptUrl,
  toAllowedBuiltin,
} from './index.ts'
import { compileArtifact } from './compile-artifact.ts'
import { createContainer } from './create-container.ts'
import { containerGlobalNames } from './globals.ts'

const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }
const revision = 'shop/card@0123456789ab'
const load = (source: string, loadTimeoutMs?: number) =>
  createContainer(compileArtifact(Buffer.from(source), revision, null), {
    revision,
    log: silent,
    loadTimeoutMs,
  })
const evaluate = (expression: string) => load(artifactOf(expression)).defaultExport
const refusalOf = (expression: string): unknown => {
  try {
    return load(artifactOf(expression))
  } catch (error) {
    return error
  }
}

it('takes the export of a top level that freezes its globalThis', () => {
  const { defaultExport } = load(
    `'use strict'; var __needle_function = (() => { Object.freeze(globalThis); return { default: 42 } })()`,
  )
  expect(defaultExport).toBe(42)
})

describe('refuses', () => {
  it.each<[string, string, string, RegExp]>([
    ['a syntax error', 'var x = ;', 'FUNCTION_SYNTAX', /Unexpected token/],
    [
      'what throws at load',
      'throw new TypeError("no config")',
      'FUNCTION_THROWS_AT_LOAD',
      /TypeError: no config/,
    ],
    ['what loads forever', 'for (;;);', 'FUNCTION_LOAD_TIMEOUT', /within 50 ms/],
    ['a script without exports', 'var x = 1', 'FUNCTION_NO_DEFAULT_EXPORT', /default export/],
    [
      'exports without default',
      'var __needle_function = { other: 1 }',
      'FUNCTION_NO_DEFAULT_EXPORT',
      /default export/,
    ],
    [
      'a built-in that is not allowed',
      `var fs = globalThis[Symbol.for('needle.builtin')]('node:fs')`,
      'FUNCTION_THROWS_AT_LOAD',
      /"node:fs"/,
    ],
  ])('%s', (_title, source, code, message) => {
    expect(() => load(source, 50)).toThrow(
      expect.objectContaining({ code, message: expect.stringMatching(message) }),
    )
  })
})

describe('globals', () => {
  it('are the language and the documented list, nothing else', () => {
    const bare: string[] = vm.runInContext(
      'Object.getOwnPropertyNames(globalThis)',
      vm.createContext(vm.constants.DONT_CONTEXTIFY),
    )
    const present = String(evaluate('Object.getOwnPropertyNames(globalThis).join()')).split(',')
    const expected = new Set([...bare, ...containerGlobalNames, '__needle_function'])
    expect(present.toSorted()).toEqual([...expected].toSorted())
  })

  it.each(['fetch', 'process', 'require', 'Buffer', 'WebSocket', 'global'])(
    '%s is absent',
    (name) => {
      expect(evaluate(`typeof ${name}`)).toBe('undefined')
    },
  )

  it('do not leak from one container into another', () => {
    evaluate('(globalThis.shared = 1, Array.prototype.shared = 1)')
    expect(evaluate('typeof shared + [].shared')).toBe('undefinedundefined')
  })

  it('AbortSignal.timeout is a real signal with the usual reason', async () => {
    const signal = evaluate('AbortSignal.timeout(5)')
    expect(signal).toBeInstanceOf(AbortSignal)
    if (!(signal instanceof AbortSignal)) return
    await new Promise((resolve) => {
      signal.addEventListener('abort', resolve)
    })
    expect(signal.reason).toMatchObject({ name: 'TimeoutError' })
    expect(evaluate('new AbortController().signal instanceof AbortSignal')).toBe(true)
    expect(() => evaluate('new AbortSignal()')).toThrow(/not a constructor/)
  })

  it('console has every method of the real one', () => {
    expect(
      evaluate(`['table', 'group', 'time', 'count', 'assert', 'trace', 'dir'].every(
        (name) => typeof console[name] === 'function')`),
    ).toBe(true)
  })
})

it('says when what loads too long hardly got the processor', () => {
  const sleeping = refusalOf(
    '(() => { for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 150) })()',
  )
  expect(sleeping).toMatchObject({ code: 'FUNCTION_LOAD_TIMEOUT', details: { starved: true } })
  // A busy machine may starve one of them, but hardly all.
  const computing = Array.from({ length: 10 }, () => refusalOf('(() => { for (;;); })()'))
  expect(computing).toContainEqual(
    expect.objectContaining({
      code: 'FUNCTION_LOAD_TIMEOUT',
      details: expect.objectContaining({ starved: false }),
    }),
  )
})

describe('timers', () => {
  it('fire with their arguments, and clear by handle or number', async () => {
    const fired = evaluate(`(() => {
      const fired = []
      setTimeout((a, b) => fired.push(a + b), 1, 'a', 'b')
      setImmediate((c) => fired.push(c), 'c')
      clearTimeout(setTimeout(() => fired.push('never'), 1))
      clearTimeout(+setTimeout(() => fired.push('never'), 1))
      clearImmediate(setImmediate(() => fired.push('never')))
      const interval = setInterval(() => { fired.push('i'); clearInterval(interval) }, 1)
      setTimeout(() => fired.push('unreferenced'), 1).unref()
      return fired
    })()`)
    await delay(30)
    expect([...new Set(String(fired).split(','))].toSorted()).toEqual(
      ['ab', 'c', 'i', 'unreferenced'].toSorted(),
    )
  })

  it('tell when the first is open and when none is left, to one listener at a time', async () => {
    const container = load(artifactOf('({ setTimeout, setInterval, clearInterval, setImmediate })'))
    const { timers } = container
    const globals = Object(container.defaultExport)
    const told: string[] = []
    const tell = (isOpen: boolean): void => void told.push(isOpen ? 'open' : 'none')
    const said = (): string => told.splice(0).join(' ')
    timers.observe(tell)
    globals.setTimeout(() => told.push('first'), 1)
    globals.setTimeout(() => {
      globals.clearInterval(0)
      told.push('last')
    }, 20)
    await delay(50)
    expect(said()).toBe('open first last none')
    const interval = globals.setInterval(() => undefined, 1)
    timers.hold()
    timers.resume()
    timers.observe(null)
    timers.observe(tell)
    expect(said()).toBe('open none open none open')
    globals.clearInterval(interval)
    globals.setTimeout(() => undefined, 1)
    container.dispose()
    expect(said()).toBe('none open none')
  })

  it('take a delay that is none as Node does, and warn nobody about it', async () => {
    const warnings: string[] = []
    const listen = ({ name }: Error): void => void warnings.push(name)
    process.on('warning', listen)
    onTestFinished(() => void process.off('warning', listen))
    const fired = evaluate(`(() => {
      const fired = []
      const delays = [2 ** 31, -1, NaN, 'x', undefined, null, Infinity, { valueOf: () => 2 }]
      for (const delay of delays) setTimeout(() => fired.push(delay), delay)
      setTimeout(() => fired.push('never'), 2 ** 31 - 1)
      return fired
    })()`)
    await delay(30)
    expect(fired).toHaveLength(8)
    expect(warnings).toEqual([])
  })

  it('call back from a microtask, outside of the frames of the timer', async () => {
    const stacks = evaluate(`(() => {
      const stacks = []
      setTimeout(() => stacks.push(new Error().stack), 1)
      return stacks
    })()`)
    await delay(15)
    expect(String(stacks)).toContain('needle:///')
    expect(String(stacks)).not.toContain('listOnTimeout')
  })

  it('end with the container, those started later too', async () => {
    const container = load(
      artifactOf(`(() => {
        const state = { ticks: 0, start: () => setInterval(() => state.ticks++, 1) }
        state.start()
        return state
      })()`),
    )
    const state = container.defaultExport
    container.dispose()
    if (typeof state === 'object' && state !== null && 'start' in state)
      Reflect.apply(Object(state.start), state, [])
    await delay(15)
    expect(state).toMatchObject({ ticks: 0 })
  })
})

describe('built-ins', () => {
  it('reach a bundle through the source the bundler puts in their place', () => {
    const source = builtinModuleSource('node:crypto').replace('module.exports =', '')
    expect(evaluate(`${source}.createHash('sha256').update('').digest('hex').slice(0, 8)`)).toBe(
      'e3b0c442',
    )
  })

  it('all exist, and are named with or without prefix', () => {
    for (const [name, reason] of Object.entries(allowedBuiltins)) {
      expect(process.getBuiltinModule(name)).toBeTruthy()
      expect(reason).not.toBe('')
      expect(toAllowedBuiltin(name)).toBe(name)
      expect(toAllowedBuiltin(name.slice('node:'.length))).toBe(name)
    }
    expect(toAllowedBuiltin('fs')).toBeNull()
    expect(toAllowedBuiltin('toString')).toBeNull()
  })
})

it('names the script by the revision, both ways', () => {
  expect(revisionIdOf(scriptUrl('shop/card@0123456789ab'))).toBe('shop/card@0123456789ab')
  expect(revisionIdOf('file:///a.js')).toBeNull()
})

it('evaluates what the bundler makes of a function', async () => {
  const { source } = await bundle(`
    import { defineFunction, HttpError } from '@needle-faas/runtime/function'
    export default defineFunction({ handler: () => { throw new HttpError(400, 'A', 'b') } })`)
  expect(load(source).defaultExport).toHaveProperty('handler')
})
