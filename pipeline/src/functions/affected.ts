import type { FunctionInputs } from './inputs.ts'

/** A function that has to be checked again, and why. */
export interface Affected {
  readonly name: string
  /** In words, at least one. */
  readonly reasons: readonly string[]
}

type InputsByName = ReadonlyMap<string, FunctionInputs>

/** Functions whose inputs differ between two trees, sorted by name. Removed functions are not among them. */
export function findAffected(before: InputsByName, after: InputsByName): readonly Affected[] {
  return [...after.values()]
    .filter(({ name, digest }) => before.get(name)?.digest !== digest)
    .map((inputs) => ({ name: inputs.name, reasons: reasonsFor(before.get(inputs.name), inputs) }))
}

function reasonsFor(before: FunctionInputs | undefined, after: FunctionInputs): string[] {
  if (before === undefined) return ['new']
  const keys = new Set([...Object.keys(before.parts), ...Object.keys(after.parts)])
  return [...keys]
    .filter((key) => before.parts[key] !== after.parts[key])
    .toSorted()
    .map((key) => {
      const change =
        before.parts[key] === undefined
          ? 'added'
          : after.parts[key] === undefined
            ? 'removed'
            : 'changed'
      return describe(key, change, { before, after })
    })
}

function describe(
  key: string,
  change: string,
  { before, after }: { readonly before: FunctionInputs; readonly after: FunctionInputs },
): string {
  const separator = key.indexOf(':')
  const kind = separator === -1 ? key : key.slice(0, separator)
  const subject = key.slice(separator + 1)
  switch (kind) {
    case 'file':
      return describeFile(
        subject,
        change,
        after.importers.get(subject) ?? before.importers.get(subject),
        after.name,
      )
    case 'npm':
      return `package ${subject} ${change} (package-lock.json)`
    case 'policy':
      return 'its policy changed (needle.config.ts)'
    case 'scope':
      return 'built for another scope'
    default:
      return 'needle or esbuild changed'
  }
}

function describeFile(
  path: string,
  change: string,
  importer: string | undefined,
  functionName: string,
): string {
  const own = `functions/${functionName}/`
  if (path.startsWith(own)) return `own file ${path.slice(own.length)} ${change}`
  const [group = ''] = functionName.split('/')
  const inGroup = `functions/${group}/`
  const isShared = path.startsWith(`${inGroup}_shared/`)
  const what = isShared ? `shared file ${path.slice(inGroup.length)}` : path
  if (importer === undefined) return `${what} ${change}`
  const by = importer.startsWith(own) ? importer.slice(own.length) : importer.slice(inGroup.length)
  return `${what} ${change}, imported by ${by}`
}
