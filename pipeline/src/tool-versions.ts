import { createRequire } from 'node:module'
import * as z from 'zod'

const require = createRequire(import.meta.url)
const versionSchema = z.object({ version: z.string() })

function versionOf(packageFile: string): string {
  const description: unknown = require(packageFile)
  return versionSchema.parse(description).version
}

/** Versions of everything that decides which bytes a build makes. */
export const toolVersions = Object.freeze({
  needle: versionOf('../package.json'),
  esbuild: versionOf('esbuild/package.json'),
})
