import { configFile } from '../config/load-config.ts'
import type { NeedleConfig } from '../config/needle-config.ts'
import type { Issue } from '../errors.ts'
import { listNearest } from '../functions/near-names.ts'

/**
 * Policies of functions and groups that are not there: of a name mistyped, whose changes would go to
 * everyone at once. Pure.
 *
 * @param names - Of all functions.
 */
export function findPolicyIssues(
  { policies = {} }: Pick<NeedleConfig, 'policies'>,
  names: readonly string[],
): readonly Issue[] {
  const groups = new Set(names.map((name) => name.slice(0, name.indexOf('/'))))
  return Object.keys(policies)
    .filter((key) => !groups.has(key) && !names.includes(key))
    .map((key) => {
      const isFunction = key.includes('/')
      return {
        code: 'CONFIG_INVALID',
        function: null,
        message: `"policies" names the ${isFunction ? 'function' : 'group'} "${key}", which is not there. Correct its name, or take it out. There are: ${listNearest(key, isFunction ? names : groups)}.`,
        place: { file: configFile },
      }
    })
}
