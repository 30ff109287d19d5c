import { type Settings } from '@needle-faas/runtime/manifest'
import { composeSettings } from '@needle-faas/runtime/container'
import { describeFunctions } from '../build/describe-functions.ts'
import { findWholeIssues } from '../check/whole-issues.ts'
import type { Issue } from '../errors.ts'
import type { Survey } from '../functions/survey.ts'
import { brokenFunction } from './broken-function.ts'
import type { DevFunction } from './dev-environment.ts'
import { devServicesFile } from './dev-services.ts'

export interface DevBuild {
  /** Everything to serve: what builds, and in the place of what does not, why. */
  readonly functions: readonly DevFunction[]
  readonly issues: readonly Issue[]
  /** Functions that were built anew. */
  readonly rebuilt: readonly string[]
}

/** Builds the functions of one survey after the other, each only when its inputs have changed. */
export type DevBuilder = (
  survey: Survey,
  options: {
    /** Names of the services that functions will meet. */
    readonly services: readonly string[]
    readonly signal: AbortSignal
  },
) => Promise<DevBuild>

interface Known {
  readonly inputs: string
  /** Null while it does not build. */
  readonly function: DevFunction | null
  readonly issues: readonly Issue[]
  /** Of the last time it built, so that a broken function keeps its route. */
  readonly settings: Settings
}

export function createDevBuilder(): DevBuilder {
  let known = new Map<string, Known>()

  return async (survey, { services, signal }) => {
    const changed = survey.functions
      .map(({ name }) => name)
      .filter((name) => known.get(name)?.inputs !== survey.inputs.get(name)?.digest)
    const result = await describeFunctions(survey, changed, { signal })

    const next = new Map<string, Known>()
    for (const { name } of survey.functions) {
      const before = known.get(name)
      if (before !== undefined && !changed.includes(name)) {
        next.set(name, before)
        continue
      }
      const built = result.described.get(name)
      const settings = built?.settings ?? before?.settings ?? composeSettings(name, {})
      next.set(name, {
        inputs: survey.inputs.get(name)?.digest ?? '',
        issues: result.issues.filter((issue) => issue.function === name),
        settings,
        function:
          built === undefined
            ? null
            : {
                name,
                artifact: built.bundle.script,
                sourceMap: built.bundle.sourceMap,
                settings,
                contract: built.contract,
              },
      })
    }
    known = next

    const whole = findWholeIssues(
      survey.functions.flatMap(({ name, entry }) => {
        const settings = next.get(name)?.settings
        if (settings === undefined) return []
        return [
          { name, settings, entryText: Buffer.from(survey.tree.get(entry) ?? []).toString('utf8') },
        ]
      }),
      { environments: survey.config.environments, environment: null },
    )
    const issuesOf = (name: string): Issue[] => {
      const entry = next.get(name)
      const lacking = entry?.settings.uses.find((service) => !services.includes(service))
      const own = whole.filter((issue) => issue.function === name)
      return [
        ...(entry?.issues ?? []),
        ...own,
        ...(lacking === undefined || own.length > 0 ? [] : [lackingService(name, lacking)]),
      ]
    }
    const functions = [...next].map(([name, entry]) => {
      // Two functions on one route: the runtime serves the one that had it, as in production.
      const issues = issuesOf(name).filter(({ code }) => code !== 'ROUTE_CONFLICT')
      if (entry.function !== null && issues.length === 0) return entry.function
      return brokenFunction(name, entry.settings, issues)
    })
    return {
      functions,
      issues: [...survey.issues, ...[...next.keys()].flatMap(issuesOf)],
      rebuilt: changed,
    }
  }
}

function lackingService(name: string, service: string): Issue {
  return {
    code: 'SERVICE_NOT_OFFERED',
    function: name,
    message: `It uses the service "${service}", which ${devServicesFile} does not export. Add it there.`,
    place: { file: `functions/${name}/index.ts` },
  }
}
