import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { defineConfig } from 'vitest/config'

const conditions = ['needle-source', 'node', 'import', 'default']

/** They hold the event loop to account, which others that share the machine would falsify. */
const timed = ['runtime/test/{faults/**/*,overload,probation,crash-guard,crash-loop}.test.ts']

export default defineConfig({
  ssr: { resolve: { conditions } },
  resolve: { conditions },
  test: {
    exclude: ['**/node_modules/**', '**/dist/**'],
    // Most tests use real processes, repositories and stores; on a busy machine those take their time.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 10_000 } },
    execArgv: ['--conditions=needle-source'],
    // Hundreds of processes that tests start read the same sources; where `needle` itself keeps them.
    env: { NODE_COMPILE_CACHE: join(tmpdir(), 'node-compile-cache') },
    // Vitest leaves one core to itself, of two; but most tests wait for something most of the time.
    maxWorkers: 3,
    projects: [
      {
        extends: true,
        test: {
          name: 'side by side',
          include: ['{runtime,pipeline,functions,scripts,.github}/**/*.test.ts'],
          exclude: timed,
        },
      },
      // One after another, and after all of the others.
      { extends: true, test: { name: 'alone', include: timed, fileParallelism: false } },
    ],
  },
})
