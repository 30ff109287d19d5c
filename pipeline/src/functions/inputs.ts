import { canonicalJson, type Digest, digestOf } from '@needle-faas/runtime/manifest'
import { policyOf } from '../config/policy-of.ts'
import type { NeedleConfig } from '../config/needle-config.ts'
import { toolVersions } from '../tool-versions.ts'
import type { FunctionSource } from './discover.ts'
import type { FileTree } from './file-tree.ts'
import { type ImportGraph, packageOf } from './import-graph.ts'
import { readLockFile } from './lock-file.ts'

/** `preview` releases never serve production. */
export type Scope = 'production' | 'preview'

/** Everything that can change what a function's build or tests come to. */
export interface FunctionInputs {
  readonly name: string
  /** Names its build record; over `parts`. */
  readonly digest: Digest
  /**
   * Digest by what it is: `file:<path>`, `npm:<package>`, `policy`, `tools`, `scope`. The README is
   * not among them.
   */
  readonly parts: Readonly<Record<string, Digest>>
  /** For files of other folders: which file of the function leads to it. */
  readonly importers: ReadonlyMap<string, string>
}

export interface InputsOptions {
  readonly tree: FileTree
  readonly graph: ImportGraph
  readonly functions: readonly FunctionSource[]
  readonly config: Pick<NeedleConfig, 'policies'>
  readonly scope: Scope
}

/** Inputs of each function, by name. Pure. */
export function readInputs(options: InputsOptions): ReadonlyMap<string, FunctionInputs> {
  const { tree, graph, functions, config, scope } = options
  const lockFile = readLockFile(tree.get('package-lock.json') ?? null)
  const fileDigests = new Map<string, Digest>()
  const fileDigest = (path: string): Digest => {
    const digest = fileDigests.get(path) ?? digestOf(tree.get(path) ?? '')
    fileDigests.set(path, digest)
    return digest
  }
  const shared = {
    tools: digestOf(canonicalJson(toolVersions)),
    scope: digestOf(scope),
  }

  return new Map(
    functions.map((source) => {
      const own = source.files.filter((file) => file !== `${source.directory}/README.md`)
      // tests are inputs too: what they import decides whether the function passes
      const { files, bare } = graph.reach(own)
      const parts: Record<string, Digest> = {
        ...shared,
        policy: digestOf(canonicalJson(policyOf(config, source.name))),
      }
      for (const path of files.keys()) parts[`file:${path}`] = fileDigest(path)
      for (const { specifier } of bare) {
        const name = packageOf(specifier)
        // the platform's own packages are covered by the versions of the tools
        if (!specifier.startsWith('node:') && !name.startsWith('@needle-faas/')) {
          parts[`npm:${name}`] = lockFile.digestOf(name)
        }
      }
      const importers = new Map<string, string>()
      for (const [path, importer] of files) if (importer !== null) importers.set(path, importer)
      const digest = digestOf(canonicalJson(parts))
      return [source.name, { name: source.name, digest, parts, importers }]
    }),
  )
}
