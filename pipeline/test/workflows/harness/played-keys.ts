import type { MappingToken } from '@actions/workflow-parser/templates/tokens/mapping-token'

const played = {
  workflow: ['name', 'run-name', 'on', 'permissions', 'env', 'defaults', 'concurrency', 'jobs'],
  job: [
    'name',
    'needs',
    'if',
    'runs-on',
    'permissions',
    'environment',
    'env',
    'defaults',
    'outputs',
    'concurrency',
    'timeout-minutes',
    'steps',
  ],
  step: [
    'id',
    'name',
    'if',
    'run',
    'uses',
    'with',
    'env',
    'shell',
    'working-directory',
    'continue-on-error',
    'timeout-minutes',
  ],
} as const

/** Throws for a key of the workflow language that this harness does not play, so that none is silently ignored. */
export function assertPlayed(what: keyof typeof played, token: MappingToken): void {
  const known: readonly string[] = played[what]
  for (const { key } of token) {
    if (!known.includes(key.toString())) {
      throw new Error(`line ${key.line}: "${key.toString()}" of a ${what} is not played here`)
    }
  }
}
