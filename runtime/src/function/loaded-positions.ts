import { createFailureDescriber } from './describe-failure.ts'
import { createSourcePositions, type SourcePositions } from './source-positions.ts'

const loaded = new Map<string, Set<SourcePositions>>()

/**
 * Has failures of this revision that belong to no call be described by `positions`; what it returns
 * takes that back. Two runtimes of one process may have loaded the same revision: either's will do,
 * since both run the same code.
 */
export function offerPositions(revision: string, positions: SourcePositions): () => void {
  const all = loaded.get(revision) ?? new Set()
  loaded.set(revision, all.add(positions))
  return () => {
    all.delete(positions)
    if (all.size === 0 && loaded.get(revision) === all) loaded.delete(revision)
  }
}

/** As `LoadedFunction.describeFailure`, of a revision that may have been let go of: its positions are those of the code then. */
export function describeStray(revision: string, thrown: unknown): Promise<string> {
  const [positions = createSourcePositions(revision, async () => null)] = loaded.get(revision) ?? []
  return createFailureDescriber(positions)(thrown)
}
