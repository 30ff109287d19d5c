import { type Contract, type Settings } from '@needle-faas/runtime/manifest'
import { composeSettings } from '@needle-faas/runtime/container'
import pLimit from 'p-limit'
import type { Bundle } from '../bundle/bundle.ts'
import { bundleFunction, type BundleResult } from '../bundle/bundle-function.ts'
import { createEvaluator } from '../bundle/evaluate.ts'
import { findSourceIssues } from '../bundle/source-issues.ts'
import { defaultBundleBytes } from '../config/load-config.ts'
import { capSettings, policyOf } from '../config/policy-of.ts'
import type { Issue } from '../errors.ts'
import type { FunctionSource } from '../functions/discover.ts'
import type { Survey } from '../functions/survey.ts'
import { isRuntimeRefusal } from '../runtime-refusal.ts'

/** A function that was bundled and evaluated. */
export interface DescribedFunction {
  readonly source: FunctionSource
  readonly bundle: Bundle
  readonly settings: Settings
  readonly contract: Contract
}

export interface DescribedFunctions {
  /** By name; a function with an issue is missing. */
  readonly described: ReadonlyMap<string, DescribedFunction>
  readonly issues: readonly Issue[]
}

export interface DescribeFunctionsOptions {
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: ((done: number, total: number) => void) | undefined
}

/** Bundles and evaluates these functions and collects every problem of every one of them. */
export async function describeFunctions(
  survey: Survey,
  names: readonly string[],
  { signal, onProgress }: DescribeFunctionsOptions = {},
): Promise<DescribedFunctions> {
  const wanted = new Set(names)
  const sources = survey.functions.filter(({ name }) => wanted.has(name))
  const described = new Map<string, DescribedFunction>()
  const issues: Issue[] = []
  await using evaluator = createEvaluator({ signal })
  const limit = pLimit(8)
  // bundling runs ahead while one function after the other is evaluated
  const bundles = sources.map((source) => limit(() => bundleChecked(survey, source)))
  for (const [index, source] of sources.entries()) {
    const result = await bundles[index]
    if (result === undefined) continue
    if (result.status === 'refused') issues.push(...result.issues)
    else {
      const { bundle } = result
      const { name, entry } = source
      const evaluated = await evaluator.evaluate({ name, entry, bundle })
      if (evaluated.status === 'refused') issues.push(evaluated.issue)
      else {
        const { declared, contract } = evaluated.description
        const policy = policyOf(survey.config, name)
        try {
          const settings = composeSettings(name, capSettings(declared, policy), policy)
          described.set(name, { source, bundle, settings, contract })
        } catch (error) {
          if (!isRuntimeRefusal(error)) throw error
          issues.push({
            code: 'FUNCTION_BAD_DEFINITION',
            function: name,
            message: error.message,
            place: { file: entry },
          })
        }
      }
    }
    onProgress?.(index + 1, sources.length)
  }
  return { described, issues }
}

async function bundleChecked(survey: Survey, source: FunctionSource): Promise<BundleResult> {
  const issues = findSourceIssues(source, survey.graph)
  if (issues.length > 0) return { status: 'refused', issues }
  return bundleFunction(source, {
    directory: survey.directory,
    budgetBytes: survey.config.budget?.bundleBytes ?? defaultBundleBytes,
  })
}
