import { isBuiltin } from 'node:module'
import { allowedBuiltins, toAllowedBuiltin } from '@needle-faas/runtime/container'
import type { Issue, Place } from '../errors.ts'
import { type FunctionSource, sharedFolder } from '../functions/discover.ts'
import type { BareImport, ImportGraph } from '../functions/import-graph.ts'
import { packageOf } from '../functions/import-graph.ts'
import type { Position } from '../functions/parse-source.ts'

/** The only module of Needle that a function may import. */
export const authoringModule = '@needle-faas/runtime/function'

/**
 * What the bundler would let through in silence, or refuse without saying what to do: read from the
 * source, so that every problem has its line. Empty for a function that may be bundled.
 */
export function findSourceIssues(source: FunctionSource, graph: ImportGraph): readonly Issue[] {
  const { files, bare, dead, places } = graph.reach([source.entry])
  const issues: Issue[] = []
  const report = (code: Issue['code'], message: string, place: Place): void => {
    issues.push({ code, function: source.name, message, place })
  }
  const shared = `functions/${source.group}/${sharedFolder}/`
  const isAllowed = (path: string): boolean =>
    path.startsWith(`${source.directory}/`) || path.startsWith(shared)
  const refuseOutside = (path: string, place: Place): void =>
    report(
      'IMPORT_OUTSIDE',
      `A function may import from its own folder and from ${shared.slice(0, -1)}, not ${path}. Move what is shared there, or into a package.`,
      place,
    )

  for (const path of files.keys()) {
    const place = places.get(path)
    if (!isAllowed(path)) {
      if (place !== undefined && isAllowed(place.file)) {
        refuseOutside(path, toPlace(place.file, place.position))
      }
      continue
    }
    const { faults } = graph.parsed(path)
    for (const { code, message, position } of faults) report(code, message, toPlace(path, position))
  }
  for (const { target, importer, specifier, position } of dead) {
    if (!isAllowed(importer)) continue
    const place = toPlace(importer, position)
    if (isAllowed(target)) {
      report('IMPORT_UNRESOLVED', `There is no file "${specifier}" from here.`, place)
    } else {
      refuseOutside(specifier, place)
    }
  }
  for (const found of bare) {
    if (!isAllowed(found.importer)) continue
    const fault = bareFault(found)
    if (fault !== null) report(fault.code, fault.message, toPlace(found.importer, found.position))
  }

  const entry = graph.parsed(source.entry)
  if (!entry.hasDefaultExport && !entry.faults.some(({ code }) => code === 'FUNCTION_SYNTAX')) {
    report(
      'FUNCTION_NO_DEFAULT_EXPORT',
      'There is no default export. Write "export default defineFunction({ … })" or export an async function as default.',
      { file: source.entry },
    )
  }
  return issues
}

function bareFault({ specifier, importsZ }: BareImport): Pick<Issue, 'code' | 'message'> | null {
  if (specifier === authoringModule) return null
  if (packageOf(specifier).startsWith('@needle-faas/')) {
    return {
      code: 'IMPORT_OUTSIDE',
      message: `Functions import "${authoringModule}", nothing else of Needle.`,
    }
  }
  if (isBuiltin(specifier)) {
    return toAllowedBuiltin(specifier) === null
      ? { code: 'IMPORT_BUILTIN', message: builtinMessage(specifier) }
      : null
  }
  if (importsZ && packageOf(specifier) === 'zod') {
    return {
      code: 'IMPORT_NOT_NAMESPACE',
      message: `This form bundles all of zod. Write: import * as z from 'zod/mini'`,
    }
  }
  return null
}

/** Why a built-in is refused, and which ones there are. */
export function builtinMessage(specifier: string): string {
  const allowed = Object.keys(allowedBuiltins)
    .filter((name) => name.indexOf('/') === -1)
    .map((name) => name.slice('node:'.length))
  return `A function may not use the Node.js built-in "${specifier}": files, network and processes are reached through services. Allowed are ${allowed.join(', ')}.`
}

function toPlace(file: string, { line, column }: Position): Place {
  return { file, line, column }
}
