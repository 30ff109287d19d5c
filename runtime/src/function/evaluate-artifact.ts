import { isRuntimeError } from '../errors.ts'
import { compileArtifact } from './container/compile-artifact.ts'
import {
  type Container,
  type ContainerOptions,
  createContainer,
  createScope,
} from './container/create-container.ts'
import { loadFetchClasses, wouldLoadFetchClasses } from './container/fetch-classes.ts'
import type { LoadCost } from './load-cost.ts'
import { ownTurn, quietTurn } from './quiet-turn.ts'

/**
 * Evaluates an artifact in a container of its own, in turns: what is compiled, made and entered may
 * take a few milliseconds each.
 *
 * One that hardly had the processor while it ran out of time is evaluated once more at once: the
 * machine held it up, and nothing was computed at the expense of others.
 *
 * @param source.compiled as `LoadRevisionOptions.compiled`
 * @throws RuntimeError as `compileArtifact` and `createContainer` do
 */
export async function evaluateArtifact(
  source: { readonly artifact: Uint8Array; readonly compiled: Uint8Array | null },
  options: ContainerOptions,
  cost: LoadCost,
): Promise<Container> {
  const { revision } = options
  await quietTurn()
  if (wouldLoadFetchClasses(source.artifact)) {
    // Now, and not in somebody's call.
    loadFetchClasses()
    await quietTurn()
  }
  const compiled = cost.measure(() => compileArtifact(source.artifact, revision, source.compiled))
  const enter = async (): Promise<Container> => {
    await ownTurn()
    const scope = cost.measure(() => createScope(options))
    await ownTurn()
    return cost.measure(() => createContainer(compiled, options, scope))
  }
  try {
    return await enter()
  } catch (error) {
    if (!wasStarved(error)) throw error
    return enter()
  }
}

function wasStarved(error: unknown): boolean {
  return (
    isRuntimeError(error) &&
    error.code === 'FUNCTION_LOAD_TIMEOUT' &&
    error.details['starved'] === true
  )
}
