import { setTimeout as delay } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import * as vm from 'node:vm'
import { describe, expect, it } from 'vitest'
import { joinParts, packagesGlobalName, partsOf } from './artifact-parts.ts'
import { compileArtifact } from './compile-artifact.ts'
import { decodeCode, encodeCode } from './compiled-code.ts'

/** A counter that no other test's packages share a script with. */
const packagesOf = (mark: string): string =>
  `var __needle_packages = ((module) => {
    let count = 0
    return { mark: ${JSON.stringify(mark)}, next: () => ++count, fail: () => { throw new Error(mark) } }
  })()
`
const own = `var __needle_function = ((packages) => ({
  default: () => packages.mark + packages.next(),
  fail: () => packages.fail(),
}))(__needle_packages)
`
const artifactOf = (mark: string): Uint8Array => joinParts(packagesOf(mark), own)

const busy = '{ const end = Date.now() + 60; while (Date.now() < end); }\n'

interface Evaluated {
  readonly default: () => string
  readonly fail: () => never
}

const newContext = (): vm.Context => vm.createContext(vm.constants.DONT_CONTEXTIFY)

function evaluate(
  artifact: Uint8Array,
  code: Uint8Array | null = null,
): { readonly exports: Evaluated; readonly code: Uint8Array | null; readonly context: vm.Context } {
  const compiled = compileArtifact(artifact, 'shop/card@1', code)
  const context = newContext()
  compiled.runIn(context, 1000)
  return { exports: Reflect.get(context, '__needle_function'), code: compiled.code(), context }
}

function caughtIn(run: () => never): { readonly stack: string } {
  try {
    return run()
  } catch (error) {
    return { stack: String(Reflect.get(Object(error), 'stack')) }
  }
}

describe('an artifact in parts', () => {
  it.each([
    ['plain', 'var a = 1\n', 'var b = 2'],
    ['beyond ASCII', 'var a = "ä € 😀"\n', 'var b = "ü"'],
    ['without packages', '', 'var b = 2'],
  ])('gives back what it was joined of: %s', (_, packages, ownPart) => {
    const parts = partsOf(joinParts(packages, ownPart))
    expect([parts.packages?.source, parts.own.source]).toEqual([packages, ownPart])
  })

  it('is one script to a runtime that does not know parts', () => {
    const context = newContext()
    vm.runInContext(Buffer.from(artifactOf('whole')).toString(), context)
    expect(Reflect.get(context, '__needle_function').default()).toBe('whole1')
  })

  it('is all own without the comment in its first line', () => {
    const text = `var x = 1\n//# needle-packages=3\n`
    expect(partsOf(Buffer.from(text))).toEqual({
      packages: null,
      own: { source: text, linesAbove: 0 },
    })
  })

  it('does not run when the comment cuts it in a wrong place', () => {
    const text = Buffer.from(artifactOf('cut')).toString().replace(/=\d+/, '=20')
    expect(() => evaluate(Buffer.from(text))).toThrow(/Unexpected|Invalid|not defined/)
    const beyond = Buffer.from(artifactOf('beyond')).toString().replace(/=\d+/, '=999999999')
    expect(evaluate(Buffer.from(beyond)).exports.default()).toBe('beyond1')
  })

  it('shares packages with another as code, never as objects', () => {
    const one = evaluate(artifactOf('shared'))
    const other = evaluate(artifactOf('shared'))
    expect([one.exports.default(), one.exports.default(), other.exports.default()]).toEqual([
      'shared1',
      'shared2',
      'shared1',
    ])
    expect(decodeCode(one.code ?? Buffer.of()).packages).not.toBe(null)
    expect(decodeCode(other.code ?? Buffer.of()).packages).toBe(null)
  })

  it('shares packages for as long as one that has them lives, whatever is collected', async () => {
    const one = compileArtifact(artifactOf('kept in memory'), 'shop/card@1', null)
    setFlagsFromString('--expose-gc')
    const collect: () => void = vm.runInNewContext('gc')
    for (let round = 0; round < 3; round++) {
      collect()
      await delay(1)
    }
    const other = evaluate(artifactOf('kept in memory'))
    expect(decodeCode(other.code ?? Buffer.of()).packages).toBe(null)
    one.runIn(newContext(), 1000)
  })

  it('leaves nothing of its packages in the global object', () => {
    expect(Reflect.get(evaluate(artifactOf('gone')).context, packagesGlobalName)).toBe(undefined)
  })

  it('has its own lines in stack traces, in both parts', () => {
    const { exports } = evaluate(artifactOf('lines'))
    const lines = Buffer.from(artifactOf('lines')).toString().split('\n')
    const lineOf = (text: string): number => lines.findIndex((line) => line.includes(text)) + 1
    const { stack } = caughtIn(exports.fail)
    expect(stack).toMatch(new RegExp(`needle:packages/[0-9a-f]{12}:${lineOf('throw new Error')}:`))
    expect(stack).toContain(`needle:///shop/card@1.js:${lineOf('fail: () => packages')}:`)
  })

  it('ends both parts by one timeout', () => {
    const compiled = compileArtifact(joinParts(busy, busy), 'shop/card@1', null)
    expect(() => compiled.runIn(newContext(), 100)).toThrow(/timed out/)
  })
})

describe('compiled code', () => {
  it('spares both parts the compiler, and is not written again', () => {
    const { code } = evaluate(artifactOf('kept'))
    expect(decodeCode(code ?? Buffer.of()).packages).not.toBe(null)
    expect(evaluate(artifactOf('kept'), code).code).toBe(null)
  })

  it('of damaged bytes is none that V8 takes', () => {
    const { code } = evaluate(artifactOf('damaged'))
    for (const bytes of [
      Buffer.of(),
      Buffer.of(1),
      Buffer.alloc(10, 255),
      Buffer.from(code ?? []).subarray(0, 30),
    ]) {
      expect(evaluate(artifactOf('damaged'), bytes).exports.default()).toBe('damaged1')
    }
  })

  it.each([
    [{ packages: null, own: Buffer.from('own') }],
    [{ packages: Buffer.from('packages'), own: Buffer.from('own') }],
  ])('is read as it was written', (written) => {
    const read = decodeCode(encodeCode(written))
    expect(Buffer.from(read.own)).toEqual(written.own)
    expect(read.packages && Buffer.from(read.packages)).toEqual(written.packages)
  })
})
