import { onTestFinished } from 'vitest'
import { createRuntime, type Runtime } from '../../src/runtime.ts'
import { type QuietOptions, quietOptions } from './quiet-options.ts'
import type { TestEnvironment } from './test-environment.ts'

/** A runtime that serves the environment, started, and closed when the test ends. */
export async function startRuntime(
  bucket: TestEnvironment,
  options: QuietOptions = {},
): Promise<Runtime> {
  const runtime = openRuntime(bucket, options)
  await runtime.start()
  return runtime
}

/** The same, not started yet. */
export function openRuntime(bucket: TestEnvironment, options: QuietOptions = {}): Runtime {
  const runtime = createRuntime(quietOptions(bucket, options))
  onTestFinished(() => runtime.close())
  return runtime
}
