import { describe, expect, it } from 'vitest'
import { createVersionLine } from './version-line.ts'

describe('version line', () => {
  it('accepts either side of a swap from a request that spans it', () => {
    const line = createVersionLine('v0')
    line.announce('v1')
    const early = line.begin()
    expect(line.accept(line.begin(), 'v1')).toBe('live')
    expect(line.accept(early, 'v0')).toBe('known')
    expect(line.accept(early, 'v1')).toBe('known')
  })

  it('refuses the old version once the new one has been seen', () => {
    const line = createVersionLine('v0')
    line.announce('v1')
    line.accept(line.begin(), 'v1')
    expect(line.accept(line.begin(), 'v0')).toBe('wrong')
  })

  it('refuses a version nobody announced', () => {
    const line = createVersionLine('v0')
    expect(line.accept(line.begin(), 'v1')).toBe('wrong')
  })

  it('tells the return of a version from its first time', () => {
    const line = createVersionLine('v0')
    line.announce('v1')
    const beforeAll = line.begin()
    line.accept(line.begin(), 'v1')
    line.announce('v0')
    expect(line.accept(beforeAll, 'v0')).toBe('known')
    expect(line.accept(line.begin(), 'v0')).toBe('live')
    expect(line.accept(line.begin(), 'v1')).toBe('wrong')
  })
})
