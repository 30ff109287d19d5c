import { defineConfig } from 'vitest/config'

export default defineConfig({
  ssr: { resolve: { conditions: ['needle-source', 'node', 'import', 'default'] } },
  resolve: { conditions: ['needle-source', 'node', 'import', 'default'] },
  test: {
    include: ['{runtime,pipeline,functions,scripts,.github}/**/*.test.ts'],
    exclude: ['**/node_modules/**', '**/dist/**'],
    // Most tests use real processes, repositories and stores; on a busy machine those take their time.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 10_000 } },
    execArgv: ['--conditions=needle-source'],
  },
})
