import { encodedMap, FlattenMap, type SourceMapInput } from '@jridgewell/trace-mapping'

/** A script below others, and its source map. */
export interface MappedScript {
  /** Lines of the whole above it. */
  readonly linesAbove: number
  /** JSON, version 3. */
  readonly sourceMap: string
}

/** The source map of scripts that stand one below the other, without sections: not every reader knows them. */
export function joinSourceMaps(scripts: readonly MappedScript[]): string {
  const sections = scripts.map(({ linesAbove, sourceMap }) => ({
    offset: { line: linesAbove, column: 0 },
    map: sourceMap satisfies SourceMapInput,
  }))
  return JSON.stringify(encodedMap(new FlattenMap({ version: 3, sections })))
}
