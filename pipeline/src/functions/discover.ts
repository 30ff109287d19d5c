import { functionNameSchema } from '@needle-faas/runtime/manifest'
import type { Issue } from '../errors.ts'
import type { FileTree } from './file-tree.ts'
import { suggestName } from './suggest-name.ts'

/** A function as it lies in the repository. */
export interface FunctionSource {
  /** `<group>/<name>`. */
  readonly name: string
  readonly group: string
  /** `functions/<group>/<name>`. */
  readonly directory: string
  /** Path of its `index.ts`. */
  readonly entry: string
  /** Paths of all files of its folder, sorted. */
  readonly files: readonly string[]
}

export interface Discovery {
  /** Sorted by name. */
  readonly functions: readonly FunctionSource[]
  readonly issues: readonly Issue[]
}

/** Folder of a group for what its functions share. */
export const sharedFolder = '_shared'

/** Finds every function of the tree, and every folder that would be one but for its name or files. */
export function discover(tree: FileTree): Discovery {
  const folders = new Map<string, string[]>()
  for (const path of tree.keys()) {
    const [top, group, name, ...rest] = path.split('/')
    if (top !== 'functions' || rest.length === 0 || group === undefined || name === undefined)
      continue
    if (name === sharedFolder) continue
    const key = `${group}/${name}`
    const files = folders.get(key)
    if (files === undefined) folders.set(key, [path])
    else files.push(path)
  }

  const functions: FunctionSource[] = []
  const issues: Issue[] = []
  for (const [name, files] of [...folders].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    const directory = `functions/${name}`
    const entry = `${directory}/index.ts`
    const [group = ''] = name.split('/')
    if (!functionNameSchema.safeParse(name).success) {
      issues.push({
        code: 'FUNCTION_NAME_INVALID',
        function: name,
        message: `The folder name is no function name. Use lower-case letters, digits and single hyphens: ${suggestName(name)}.`,
        place: { file: directory },
      })
      continue
    }
    if (!files.includes(entry)) {
      issues.push({
        code: 'FUNCTION_NO_ENTRY',
        function: name,
        message:
          'The folder has no index.ts. Add one with a default export, or move its files to _shared.',
        place: { file: directory },
      })
      continue
    }
    functions.push({ name, group, directory, entry, files: files.toSorted() })
    if (!files.includes(`${directory}/README.md`)) {
      issues.push({
        code: 'FUNCTION_NO_README',
        function: name,
        message: 'Add a README.md that says what the function answers and who looks after it.',
        place: { file: directory },
      })
    }
    if (!files.some((file) => file.endsWith('.test.ts'))) {
      issues.push({
        code: 'FUNCTION_NO_TEST',
        function: name,
        message: 'Add an index.test.ts; a function without a test does not pass.',
        place: { file: directory },
      })
    }
  }
  return { functions, issues }
}
