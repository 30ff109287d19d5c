import { objectKey } from '@needle-faas/runtime/manifest'
import { formatAge } from '../format-age.ts'
import type { Doubt } from './find-doubt.ts'
import type { SoleWord } from './find-sole-word.ts'
import type { Pool } from './pool-reports.ts'
import type { RolloutQuestion } from './rollout-question.ts'

type Of = Pick<RolloutQuestion, 'function' | 'environment' | 'now'>

/** What is doubted, and what a person does about it. */
export function describeDoubt(doubt: Doubt, of: Of, pool: Pool): string {
  return `${doubt.text}. ${remedyOf(doubt, of, pool)}`
}

/** On whose word a canary would go on, why that is not enough, and what a person does about it. */
export function describeSoleWord(
  { instance, instances, doubt }: SoleWord,
  of: Of,
  pool: Pool,
): string {
  const { function: name, environment } = of
  const isClear = instances.length === 1
  const whose = isClear ? instance : `one instance (${listed(instances)})`
  const it = isClear ? 'it' : 'one of them'
  const report = objectKey.instance(environment, isClear ? instance : '<name>')
  const said = `it would go on by the word of ${whose} alone. Without ${instance}: ${doubt.text}`
  // Then it is one that does not report who keeps it, and not who does.
  if (doubt.cause === 'silence') return `${said}. ${remedyOf(doubt, of, pool)}`
  return `${said}. It stays until others bear it out. If ${it} is no instance of yours, delete ${report}; if you know better: needle promote ${name} --reason "…"`
}

function remedyOf(
  { cause }: Doubt,
  { function: name, environment, now }: Of,
  { silent, late }: Pool,
): string {
  switch (cause) {
    case 'unheard':
      return 'Nothing can be judged. Do BFFs run, and may they write to the store? needle status'
    case 'silence': {
      const since = silent.map(
        ({ instance, heardAt }) => `${instance} for ${formatAge(now - heardAt)}`,
      )
      const [only] = silent
      const isOne = only !== undefined && silent.length === 1
      const report = objectKey.instance(environment, isOne ? only.instance : '<name>')
      const them = isOne ? 'it' : 'them'
      // One more than fell silent, and that without any one of them.
      const enough = silent.length + 2
      return `Silent: ${listed(since)}. It goes on once ${enough} that run it report, such as replacements, not by time. Look at ${them}. If the canary did it: needle abort ${name} --reason "…"; if not, delete ${report}, or: needle promote ${name} --reason "…"`
    }
    case 'minority':
      return `Late: ${listed(late)}. It stays until they follow; needle status tells what keeps them`
    case 'calls':
      return `It stays until they have come, or: needle promote ${name} --reason "…"`
    case 'shares':
      return 'More calls will tell'
    default:
      return cause satisfies never
  }
}

/** Names while there are few. */
function listed(names: readonly string[]): string {
  return `${names.slice(0, 3).join(', ')}${names.length > 3 ? ` and ${names.length - 3} more` : ''}`
}
