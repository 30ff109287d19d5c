import { realpath } from 'node:fs/promises'
import { loadConfig } from '../config/load-config.ts'
import type { NeedleConfig } from '../config/needle-config.ts'
import type { Issue } from '../errors.ts'
import { discover, type FunctionSource } from './discover.ts'
import { type FileTree, readWorkTree } from './file-tree.ts'
import { createImportGraph, type ImportGraph } from './import-graph.ts'
import { type FunctionInputs, readInputs, type Scope } from './inputs.ts'

/** All that is known of a repository's functions without running anything of them. */
export interface Survey {
  /** Repository root, absolute and without symbolic links. */
  readonly directory: string
  readonly config: NeedleConfig
  readonly scope: Scope
  readonly tree: FileTree
  readonly graph: ImportGraph
  /** Sorted by name. */
  readonly functions: readonly FunctionSource[]
  /** Folders that are no functions, and functions that lack a file. */
  readonly issues: readonly Issue[]
  readonly inputs: ReadonlyMap<string, FunctionInputs>
}

/**
 * Reads the work tree.
 *
 * @throws PipelineError `CONFIG_MISSING`, `CONFIG_INVALID`
 */
export async function survey(directory: string, scope: Scope): Promise<Survey> {
  const root = await realpath(directory)
  const [config, tree] = await Promise.all([loadConfig(root), readWorkTree(root)])
  const graph = createImportGraph(tree)
  const { functions, issues } = discover(tree)
  const inputs = readInputs({ tree, graph, functions, config, scope })
  return { directory: root, config, scope, tree, graph, functions, issues, inputs }
}
