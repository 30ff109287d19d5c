import { posix } from 'node:path'
import { digestOf } from '@needle-faas/runtime/manifest'
import type { FileTree } from './file-tree.ts'
import { type ParsedSource, parseSource, type Position, type SourceImport } from './parse-source.ts'

/** An import of a package or built-in: a name, not a path. */
export interface BareImport extends SourceImport {
  readonly importer: string
}

/** An import of a path that leads to no file of the tree. */
export interface DeadImport extends BareImport {
  /** Where it points, relative to the repository root; starts with `../` outside. */
  readonly target: string
}

/** What can be reached from some files by importing. */
export interface Reach {
  /** Every reached file, the starting ones included, with the file that imports it first (null: a start). */
  readonly files: ReadonlyMap<string, string | null>
  readonly bare: readonly BareImport[]
  readonly dead: readonly DeadImport[]
  /** Where each reached file is imported, for messages. */
  readonly places: ReadonlyMap<string, { readonly file: string; readonly position: Position }>
}

export interface ImportGraph {
  parsed(path: string): ParsedSource
  /** Follows imports that survive the removal of types; stops at packages. */
  reach(starts: readonly string[]): Reach
}

/** Imports of the files of a tree; each file is parsed at most once. */
export function createImportGraph(tree: FileTree): ImportGraph {
  const cache = new Map<string, ParsedSource>()
  const parsed = (path: string): ParsedSource => {
    const known = cache.get(path)
    if (known !== undefined) return known
    const bytes = tree.get(path)
    const isCode = /\.[cm]?[jt]sx?$/.test(path)
    const source =
      bytes === undefined || !isCode
        ? { imports: [], faults: [], hasDefaultExport: false }
        : parseOnce(path, bytes)
    cache.set(path, source)
    return source
  }

  return {
    parsed,
    reach: (starts) => {
      const files = new Map<string, string | null>(starts.map((start) => [start, null]))
      const places = new Map<string, { file: string; position: Position }>()
      const bare: BareImport[] = []
      const dead: DeadImport[] = []
      // a Map iterates over what is added while it is read
      for (const importer of files.keys()) {
        for (const found of parsed(importer).imports) {
          if (found.typeOnly) continue
          if (!/^\.{0,2}\//.test(found.specifier) && !/^\.{1,2}$/.test(found.specifier)) {
            bare.push({ ...found, importer })
            continue
          }
          const target = posix.normalize(posix.join(posix.dirname(importer), found.specifier))
          const path = candidates(target).find((candidate) => tree.has(candidate))
          if (path === undefined) dead.push({ ...found, importer, target })
          else if (!files.has(path)) {
            files.set(path, importer)
            places.set(path, { file: importer, position: found.position })
          }
        }
      }
      return { files, bare, dead, places }
    },
  }
}

/** In the order in which esbuild tries them. */
function candidates(target: string): string[] {
  const path = target.replace(/[?#].*$/, '')
  const extensions = ['.tsx', '.ts', '.jsx', '.js', '.json']
  const rewritten = /\.([cm]?)js(x?)$/.test(path)
    ? [path.replace(/\.([cm]?)js(x?)$/, '.$1ts$2')]
    : []
  return [
    path,
    ...rewritten,
    ...extensions.map((extension) => path + extension),
    ...extensions.map((extension) => `${path}/index${extension}`),
  ]
}

/** `zod/mini` → `zod`, `@scope/name/path` → `@scope/name`. */
export function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
}

/** By path and content: processes that survey again and again parse only what has changed. */
const parsedSources = new Map<string, ParsedSource>()
const parsedSourcesKept = 20_000

function parseOnce(path: string, bytes: Uint8Array): ParsedSource {
  const key = `${path}@${digestOf(bytes)}`
  const known = parsedSources.get(key)
  if (known !== undefined) return known
  if (parsedSources.size >= parsedSourcesKept) parsedSources.clear()
  const source = parseSource(path, Buffer.from(bytes).toString('utf8'))
  parsedSources.set(key, source)
  return source
}
