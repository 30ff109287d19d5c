import { artifactGlobalName } from '@needle-faas/runtime/container'
import type { Settings } from '@needle-faas/runtime/manifest'
import { formatIssue, type Issue } from '../errors.ts'
import type { DevFunction } from './dev-environment.ts'

/**
 * What is served for a function that does not build: a 500 that says why, on its route, until it
 * does. Whoever looks at the page need not look at the terminal.
 */
export function brokenFunction(
  name: string,
  settings: Settings,
  issues: readonly Issue[],
): DevFunction {
  const answer = {
    error: {
      code: issues[0]?.code ?? 'TOOL_FAILED',
      message: `${name} does not build: ${issues.map(formatIssue).join('\n')}`,
      details: issues.map(({ code, message, place }) => ({ code, message, place })),
    },
  }
  const script = `var ${artifactGlobalName} = {
  default: async () => Response.json(${JSON.stringify(answer)}, { status: 500 }),
}`
  return {
    name,
    artifact: new TextEncoder().encode(script),
    sourceMap: null,
    settings: { ...settings, uses: [] },
    contract: { input: null, output: null, unexpressed: [] },
  }
}
