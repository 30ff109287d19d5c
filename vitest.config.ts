import { defineConfig } from 'vitest/config'

export default defineConfig({
  ssr: { resolve: { conditions: ['needle-source', 'node', 'import', 'default'] } },
  resolve: { conditions: ['needle-source', 'node', 'import', 'default'] },
  test: {
    include: ['{runtime,pipeline,functions,scripts,.github}/**/*.test.ts'],
    exclude: ['**/node_modules/**', '**/dist/**'],
    execArgv: ['--conditions=needle-source'],
  },
})
