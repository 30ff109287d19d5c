import { SourceMap } from 'node:module'
import * as z from 'zod'
import type { Place } from '../errors.ts'

const sourceMapSchema = z.object({
  file: z.string().default(''),
  version: z.number(),
  sources: z.array(z.string()),
  sourcesContent: z.array(z.string()),
  names: z.array(z.string()),
  mappings: z.string(),
  sourceRoot: z.string().default(''),
})

/** Where in the repository the first frame of a function's stack trace is; null when there is none. */
export function placeInSource(stack: string | null, sourceMap: Uint8Array | null): Place | null {
  if (stack === null || sourceMap === null) return null
  const map = new SourceMap(
    sourceMapSchema.parse(JSON.parse(Buffer.from(sourceMap).toString('utf8'))),
  )
  for (const [, line, column] of stack.matchAll(/needle:\/\/\/\S+?\.js:(\d+):(\d+)/g)) {
    const entry = map.findEntry(Number(line) - 1, Number(column) - 1)
    if (!('originalSource' in entry) || entry.originalSource.includes('node_modules/')) continue
    return {
      file: entry.originalSource,
      line: entry.originalLine + 1,
      column: entry.originalColumn + 1,
    }
  }
  return null
}
