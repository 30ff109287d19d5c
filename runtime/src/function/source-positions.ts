import { SourceMap } from 'node:module'
import { fileURLToPath } from 'node:url'
import * as z from 'zod/mini'
import { scriptUrl } from './container/artifact-format.ts'
import { packagesUrlPattern } from './container/packages-script.ts'
import { outsideAnyCall } from './outside-any-call.ts'

/** Loads the bytes of a source map; null when there is none. */
export type SourceMapLoader = () => Promise<Uint8Array | null>

/**
 * Rewrites the stacks in a text for the author: positions in their own files, without the frames
 * between host and function. What no map tells stays as it is. Never throws, never rejects.
 *
 * The text is rewritten after the fact instead of through `Error.prepareStackTrace`: the map is
 * fetched only once something fails, and errors that nobody logs cost nothing. Node's own
 * `--enable-source-maps` ignores `vm.Script` (nodejs/node#52102).
 */
export interface SourcePositions {
  /** Waits for the map, once there is a position to look up. */
  rewrite(text: string): Promise<string>
  /** As `rewrite`, at once: by the map when it is at hand. Asks for it otherwise, for what comes later. */
  rewriteNow(text: string): string
  /**
   * The first position in the text, as `<file>:<line>:<column>`: of the author's own code before that
   * of packages. Null when there is none.
   */
  first(text: string): Promise<string | null>
}

export function createSourcePositions(
  revision: string,
  loadSourceMap: SourceMapLoader,
): SourcePositions {
  const scripts = `(?:${escapeRegExp(scriptUrl(revision))}|${packagesUrlPattern})`
  const position = new RegExp(String.raw`${scripts}:(\d+):(\d+)`, 'g')
  let map: SourceMap | null = null
  let loading: Promise<void> | null = null

  const load = (): Promise<void> =>
    (loading ??= outsideAnyCall(async () => {
      map = await readSourceMap(loadSourceMap)
    }))
  const hasPosition = (text: string): boolean => text.search(position) !== -1
  const toSource = (as: string, line: string, column: string): string => {
    const origin = map?.findOrigin(Number(line), Number(column))
    return origin !== undefined && 'fileName' in origin
      ? `${origin.fileName}:${origin.lineNumber}:${origin.columnNumber}`
      : as
  }

  return {
    rewrite: async (given) => {
      const text = withoutOwnFrames(given)
      if (!hasPosition(text)) return text
      await load()
      return text.replace(position, toSource)
    },
    rewriteNow: (given) => {
      const text = withoutOwnFrames(given)
      if (!hasPosition(text)) return text
      void load()
      return text.replace(position, toSource)
    },
    first: async (text) => {
      if (!hasPosition(text)) return null
      await load()
      const found = [...text.matchAll(position)].map(([as, line = '', column = '']) =>
        toSource(as, line, column),
      )
      return found.find((each) => !isOfPackage(each)) ?? found[0] ?? null
    },
  }
}

function isOfPackage(position: string): boolean {
  return /^needle:packages\/|(?:^|\/)node_modules\//.test(position)
}

const ownDirectory = new URL('../', import.meta.url)

/** The directory as a path is what hosts with source maps of their own show. */
const ownPlaces = [
  'needle:(?:realm|fit-check|limited-run)',
  'node:vm',
  ...[ownDirectory.href, fileURLToPath(ownDirectory)].map(escapeRegExp),
].join('|')

/** What lies between a host and a function says nothing to its author. */
const ownFrame = new RegExp(String.raw`\n {4,}at (?:.* )?\(?(?:${ownPlaces})[^\n]*`, 'g')

function withoutOwnFrames(text: string): string {
  return text.replace(ownFrame, '')
}

function escapeRegExp(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)
}

const payloadSchema = z.object({
  version: z.int(),
  file: z._default(z.string(), ''),
  sources: z.array(z.string()),
  sourcesContent: z._default(z.array(z.string()), []),
  names: z.array(z.string()),
  mappings: z.string(),
  sourceRoot: z._default(z.string(), ''),
})

/** A map that cannot be had must not hide the failure it was wanted for. */
async function readSourceMap(load: SourceMapLoader): Promise<SourceMap | null> {
  try {
    const bytes = await load()
    if (bytes === null) return null
    return new SourceMap(payloadSchema.parse(JSON.parse(Buffer.from(bytes).toString())))
  } catch {
    return null
  }
}
