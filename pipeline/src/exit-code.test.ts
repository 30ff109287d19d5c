import { RuntimeError } from '@needle-faas/runtime'
import { expect, it } from 'vitest'
import { PipelineError } from './errors.ts'
import { exitCode, exitCodeOf } from './exit-code.ts'

it.each([
  'USAGE_INVALID',
  'ENVIRONMENT_UNKNOWN',
  'FUNCTION_NAME_INVALID',
  'BUILD_DIRECTORY_MISSING',
  'KEY_MISSING',
  'TRUST_MISSING',
] as const)('%s is a call or configuration to correct', (code) => {
  expect(exitCodeOf(new PipelineError(code, 'no'))).toBe(exitCode.usage)
})

it.each(['TESTS_FAILED', 'COMMIT_OLDER', 'KEY_WRONG_ROLE', 'BUILD_DIRECTORY_ALTERED'] as const)(
  '%s is a refusal',
  (code) => {
    expect(exitCodeOf(new PipelineError(code, 'no'))).toBe(exitCode.refused)
  },
)

it('tells a store that may come back from what it holds, and both from a defect', () => {
  expect(exitCodeOf(new RuntimeError('STORE_UNAVAILABLE', 'no'))).toBe(exitCode.unavailable)
  expect(exitCodeOf(new RuntimeError('SIGNATURE_INVALID', 'no'))).toBe(exitCode.refused)
  expect(exitCodeOf(new TypeError('no'))).toBe(exitCode.internal)
})
