import { SourceMap } from 'node:module'
import * as z from 'zod/mini'
import { scriptUrl } from './container/artifact-format.ts'
import { packagesUrlPattern } from './container/packages-script.ts'
import { inspectFailure } from './inspect-failure.ts'

/** Loads the bytes of a source map; null when there is none. */
export type SourceMapLoader = () => Promise<Uint8Array | null>

/**
 * Renders what a function threw for the log: message, stack, causes, with positions in the
 * author's own files when there is a source map.
 *
 * The text is rewritten after the fact instead of through `Error.prepareStackTrace`: the map is
 * fetched only once something fails, and errors that nobody logs cost nothing. Node's own
 * `--enable-source-maps` ignores `vm.Script` (nodejs/node#52102).
 */
export function createFailureDescriber(
  revision: string,
  loadSourceMap: SourceMapLoader,
): (thrown: unknown) => Promise<string> {
  const scripts = `(?:${escapeRegExp(scriptUrl(revision))}|${packagesUrlPattern})`
  const position = new RegExp(String.raw`${scripts}:(\d+):(\d+)`, 'g')
  let loading: Promise<SourceMap | null> | null = null
  return async (thrown) => {
    const text = withoutOwnFrames(inspectFailure(thrown))
    if (text.search(position) === -1) return text
    const map = await (loading ??= readSourceMap(loadSourceMap))
    if (map === null) return text
    return text.replace(position, (as, line: string, column: string) => {
      const origin = map.findOrigin(Number(line), Number(column))
      return 'fileName' in origin
        ? `${origin.fileName}:${origin.lineNumber}:${origin.columnNumber}`
        : as
    })
  }
}

/** What lies between a host and a function says nothing to its author. */
const ownFrame = new RegExp(
  String.raw`\n {4,}at (?:.* )?\(?(?:needle:(?:realm|fit-check|limited-run)|node:vm|${escapeRegExp(new URL('../', import.meta.url).href)})[^\n]*`,
  'g',
)

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
  const bytes = await load().catch(() => null)
  if (bytes === null) return null
  try {
    return new SourceMap(payloadSchema.parse(JSON.parse(Buffer.from(bytes).toString())))
  } catch {
    return null
  }
}
