import * as vm from 'node:vm'
import type { ArtifactPart } from './artifact-parts.ts'
import { withoutCompilationCache } from './without-compilation-cache.ts'

export interface CompiledScript {
  readonly script: vm.Script
  /** Whether V8 took the code it was given. */
  readonly isFromCode: boolean
}

/**
 * Compiles a part under a name; positions in stack traces are those of the whole artifact.
 *
 * @param code what `codeOf` gave for this very source on this very engine. V8 takes it without comparing
 * it with the source; what it does not take is compiled anew.
 * @throws SyntaxError
 */
export function compileScript(
  { source, linesAbove }: ArtifactPart,
  filename: string,
  code: Uint8Array | null,
): CompiledScript {
  const cachedData = code === null ? undefined : Buffer.from(code)
  const script = withoutCompilationCache(
    () => new vm.Script(source, { filename, lineOffset: linesAbove, cachedData }),
  )
  return { script, isFromCode: code !== null && script.cachedDataRejected !== true }
}

/** V8's code of what has been compiled of a script so far. */
export function codeOf({ script }: CompiledScript): Uint8Array {
  return withoutCompilationCache(() => script.createCachedData())
}
