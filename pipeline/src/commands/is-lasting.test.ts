import { RuntimeError, type RuntimeErrorCode } from '@needle-faas/runtime/store'
import { expect, test } from 'vitest'
import { PipelineError, type PipelineErrorCode } from '../errors.ts'
import { isLasting } from './is-lasting.ts'

test.each<[PipelineErrorCode, boolean]>([
  ['KEY_WRONG_ROLE', true],
  ['KEY_INVALID', true],
  ['TRUST_MISSING', true],
  ['STORE_IGNORES_CONDITIONS', true],
  ['PUBLISH_LOST', false],
])('%s of the pipeline lasts: %j', (code, expected) => {
  expect(isLasting(new PipelineError(code, 'no'), true)).toBe(expected)
})

test.each<[RuntimeErrorCode, boolean, boolean]>([
  ['STORE_READ_ONLY', true, true],
  ['STORE_NOT_CONDITIONAL', true, true],
  ['STORE_DENIED', false, true],
  ['STORE_DENIED', true, false],
  ['STORE_UNAVAILABLE', false, false],
  ['STORE_TIMEOUT', false, false],
  ['SIGNATURE_INVALID', false, false],
  ['OBJECT_MISSING', false, false],
])('%s of the store, looked at before: %j, lasts: %j', (code, hasLooked, expected) => {
  expect(isLasting(new RuntimeError(code, 'no'), hasLooked)).toBe(expected)
})

test('a defect is none that waiting mends', () => {
  expect(isLasting(new TypeError('x is not a function'), true)).toBe(true)
})
