import { createHash } from 'node:crypto'
import type * as vm from 'node:vm'
import type { ArtifactPart } from './artifact-parts.ts'
import { type CompiledScript, compileScript } from './compile-script.ts'

export interface PackagesScript extends CompiledScript {
  /** Whether this call compiled it; no other has it in memory. */
  readonly isFirst: boolean
}

/** By digest; a script lives as long as a container that ran it. */
const scripts = new Map<string, WeakRef<vm.Script>>()

/**
 * The packages of functions, compiled once per process and run in each container: functions with the
 * same packages, and the next version of the same function, share their code (about 75 KB for
 * `zod/mini`). Their objects are each container's own.
 *
 * @param code what V8 made of this very source, when it is not in memory
 * @throws SyntaxError
 */
export function packagesScript(part: ArtifactPart, code: Uint8Array | null): PackagesScript {
  const digest = createHash('sha256').update(part.source).digest('hex').slice(0, 32)
  const known = scripts.get(digest)?.deref()
  if (known !== undefined) return { script: known, isFromCode: false, isFirst: false }
  for (const [key, script] of scripts) if (script.deref() === undefined) scripts.delete(key)
  const compiled = compileScript(part, `${urlPrefix}${digest.slice(0, 12)}`, code)
  scripts.set(digest, new WeakRef(compiled.script))
  return { ...compiled, isFirst: true }
}

const urlPrefix = 'needle:packages/'

/** What packages are called in stack traces; their positions are those of the artifact. */
export const packagesUrlPattern: string = `${urlPrefix}[0-9a-f]+`

/** Whether a script is packages: of which function only the call says. */
export function isPackagesUrl(url: string): boolean {
  return url.startsWith(urlPrefix)
}
