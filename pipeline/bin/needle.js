#!/usr/bin/env node
import { existsSync } from 'node:fs'
import { enableCompileCache, registerHooks } from 'node:module'

enableCompileCache()

const source = new URL('../src/cli.ts', import.meta.url)
const isWorkspace = existsSync(source)

// In a workspace everything runs from source, with no build in between: the condition makes
// package exports resolve to it, and is only known to this process.
if (isWorkspace) {
  registerHooks({
    resolve: (specifier, context, nextResolve) =>
      nextResolve(specifier, {
        ...context,
        conditions: [...context.conditions, 'needle-source'],
      }),
  })
}

const { main } = await import(isWorkspace ? source.href : '../dist/cli.js')
process.exitCode = await main(process.argv.slice(2))
