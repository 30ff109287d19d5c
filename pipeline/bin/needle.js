#!/usr/bin/env node
import { existsSync } from 'node:fs'
import * as nodeModule from 'node:module'

const { enableCompileCache, registerHooks } = nodeModule

// Node.js before 24 lacks one or the other; an import by name would fail without a word of why.
if (enableCompileCache === undefined || registerHooks === undefined) {
  console.error(
    `needle needs Node.js 24 or newer; this is ${process.version}. Run it as "npx needle" or "npm exec needle" in a repository that has the "node" package, or upgrade.`,
  )
  process.exit(2)
}

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
