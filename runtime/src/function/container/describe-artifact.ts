import type { Contract } from '../../manifest/release.ts'
import type { Logger } from '../authoring/function-context.ts'
import { compileArtifact } from './compile-artifact.ts'
import { createContainer } from './create-container.ts'
import { deriveContract } from './derive-contract.ts'
import { type DeclaredSettings, readDefinition } from './read-definition.ts'

/** What a build learns about a function by evaluating its artifact once. */
export interface ArtifactDescription {
  readonly declared: DeclaredSettings
  readonly contract: Contract
}

export interface DescribeOptions {
  readonly functionName: string
  /** For the evaluation of the top level. Default 2000. */
  readonly timeoutMs?: number
  /** Receives what the function logs while loading. Default: nothing does. */
  readonly log?: Logger
}

/**
 * Evaluates an artifact in a container and reads its declaration and schemas; calls nothing of it.
 *
 * @throws RuntimeError `FUNCTION_SYNTAX`, `FUNCTION_THROWS_AT_LOAD`, `FUNCTION_LOAD_TIMEOUT`,
 * `FUNCTION_NO_DEFAULT_EXPORT`, `FUNCTION_BAD_DEFINITION` or `FUNCTION_SCHEMA_INEXPRESSIBLE`
 */
export function describeArtifact(source: string, options: DescribeOptions): ArtifactDescription {
  const { functionName, timeoutMs, log = silent } = options
  const container = createContainer(compileArtifact(Buffer.from(source), functionName, null), {
    revision: functionName,
    log,
    loadTimeoutMs: timeoutMs,
  })
  try {
    const { declared, input, output } = readDefinition(functionName, container.defaultExport)
    const zodRegistry = container.global('__zod_globalRegistry')
    return { declared, contract: deriveContract({ functionName, input, output, zodRegistry }) }
  } finally {
    container.dispose()
  }
}

const ignore = (): void => undefined
const silent: Logger = { debug: ignore, info: ignore, warn: ignore, error: ignore }
