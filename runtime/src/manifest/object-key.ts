import { type Digest, digestHex } from './digest.ts'

/**
 * Where everything lies in the bucket. `trust`, `artifacts`, `releases` and `builds` are shared by
 * all environments; everything mutable lies below one environment.
 */
export const objectKey = {
  trustRoot: (version: number) => `trust/${version}.json`,
  artifactPrefix: 'artifacts/',
  artifact: (digest: Digest) => `artifacts/${digestHex(digest)}.js`,
  sourceMap: (digest: Digest) => `artifacts/${digestHex(digest)}.js.map`,
  release: (digest: Digest) => `releases/${digestHex(digest)}.json`,
  build: (inputs: Digest) => `builds/${digestHex(inputs)}.json`,
  manifest: (environment: string) => `environments/${environment}/manifest.json`,
  group: (environment: string, digest: Digest) =>
    `environments/${environment}/groups/${digestHex(digest)}.json`,
  history: (environment: string, version: number) =>
    `environments/${environment}/history/${version}.json`,
  historyPrefix: (environment: string) => `environments/${environment}/history/`,
  quarantine: (environment: string, digest: Digest) =>
    `environments/${environment}/quarantine/${digestHex(digest)}.json`,
  instance: (environment: string, instance: string) =>
    `environments/${environment}/instances/${instance}.json`,
  instancePrefix: (environment: string) => `environments/${environment}/instances/`,
  /** What was told of the environment; unsigned, and no runtime reads it. */
  alarms: (environment: string) => `environments/${environment}/alarms.json`,
} as const
