import { isNativeError } from 'node:util/types'
import type * as vm from 'node:vm'
import { RuntimeError } from '../../errors.ts'
import { scriptUrl } from './artifact-format.ts'
import { packagesGlobalName, partsOf } from './artifact-parts.ts'
import { codeOf, type CompiledScript, compileScript } from './compile-script.ts'
import { decodeCode, encodeCode } from './compiled-code.ts'
import { packagesScript } from './packages-script.ts'

/** An artifact that is ready to run. */
export interface CompiledArtifact {
  /**
   * Runs it in a context.
   *
   * @param timeoutMs for the synchronous evaluation of all of it
   * @throws what it throws, and `ERR_SCRIPT_EXECUTION_TIMEOUT`
   */
  runIn(context: vm.Context, timeoutMs: number): void
  /** V8's code of what has been compiled so far, for the next `compileArtifact`; null when that would say nothing new. */
  code(): Uint8Array | null
}

/**
 * Compiles the parts of an artifact, its packages only when no other has.
 *
 * @param code what `CompiledArtifact.code` gave for this very artifact on this very engine
 * @throws RuntimeError `FUNCTION_SYNTAX`
 */
export function compileArtifact(
  artifact: Uint8Array,
  revision: string,
  code: Uint8Array | null,
): CompiledArtifact {
  try {
    return compileParts(artifact, revision, code)
  } catch (error) {
    const why = isNativeError(error) ? `${error.name}: ${error.message}` : String(error)
    throw new RuntimeError(
      'FUNCTION_SYNTAX',
      `${revision} is not a valid script: ${why}. Build it again.`,
      { cause: error, details: { revision } },
    )
  }
}

function compileParts(
  artifact: Uint8Array,
  revision: string,
  code: Uint8Array | null,
): CompiledArtifact {
  const parts = partsOf(artifact)
  const given = code === null ? null : decodeCode(code)
  const packages = parts.packages && packagesScript(parts.packages, given?.packages ?? null)
  const own = compileScript(parts.own, scriptUrl(revision), given?.own ?? null)
  const isKept = own.isFromCode && (packages === null || !packages.isFirst || packages.isFromCode)

  return {
    runIn: (context, timeoutMs) => {
      const end = performance.now() + timeoutMs
      const run = ({ script }: CompiledScript): void => {
        const leftMs = Math.max(1, Math.ceil(end - performance.now()))
        // Errors are not decorated: Node.js would run a getter of `stack`, which nothing would end.
        script.runInContext(context, { timeout: leftMs, displayErrors: false })
      }
      if (packages !== null) run(packages)
      run(own)
      if (packages !== null) Reflect.set(context, packagesGlobalName, undefined)
    },
    code: () =>
      isKept
        ? null
        : encodeCode({ packages: packages?.isFirst ? codeOf(packages) : null, own: codeOf(own) }),
  }
}
