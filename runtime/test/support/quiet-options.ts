import type { RuntimeOptions, SourceOptions } from '../../src/runtime-options.ts'
import { silentLog } from './silent-log.ts'
import { type TestEnvironment } from './test-environment.ts'

export interface QuietOptions extends Partial<Omit<RuntimeOptions, 'source'>> {
  readonly source?: Partial<SourceOptions>
}

/** Options of a host that serves the environment, with neither log nor reports unless said so. */
export function quietOptions<Options extends QuietOptions>(
  { store, trust }: Pick<TestEnvironment, 'store' | 'trust'>,
  { source, ...options }: Options,
) {
  return {
    source: { store, ...source },
    groups: ['shop'],
    trust: trust.rootBytes,
    log: silentLog,
    report: false,
    ...options,
  }
}
