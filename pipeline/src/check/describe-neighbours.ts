import { composeSettings } from '@needle-faas/runtime/container'
import { bundleTogether } from '../bundle/bundle-together.ts'
import { createEvaluator } from '../bundle/evaluate.ts'
import { findSourceIssues } from '../bundle/source-issues.ts'
import { capSettings, policyOf } from '../config/policy-of.ts'
import type { Survey } from '../functions/survey.ts'
import type { Neighbour } from './whole-issues.ts'

/**
 * Settings of functions that are not checked themselves, so that routes and services can be judged
 * as a whole. One that does not build is left out: it is no fault of the present change.
 */
export async function describeNeighbours(
  survey: Survey,
  names: readonly string[],
  signal: AbortSignal,
): Promise<readonly Neighbour[]> {
  const wanted = new Set(names)
  const sources = survey.functions.filter(
    (source) => wanted.has(source.name) && findSourceIssues(source, survey.graph).length === 0,
  )
  if (sources.length === 0) return []
  // one import of a package that is not installed would take all others with it
  const scripts = await bundleTogether(sources, survey.directory).catch(() => null)
  if (scripts === null) return []
  const neighbours: Neighbour[] = []
  await using evaluator = createEvaluator({ signal })
  for (const { name, entry } of sources) {
    const script = scripts.get(name)
    if (script === undefined) continue
    const result = await evaluator.evaluate({ name, entry, bundle: { script, sourceMap: null } })
    if (result.status === 'refused') continue
    const policy = policyOf(survey.config, name)
    try {
      const { declared } = result.description
      neighbours.push({
        name,
        settings: composeSettings(name, capSettings(declared, policy), policy),
        entryText: Buffer.from(survey.tree.get(entry) ?? []).toString('utf8'),
      })
    } catch {
      // a definition that does not compose has no route to collide with
      continue
    }
  }
  return neighbours
}
