import { type Digest, digestOf } from '@needle-faas/runtime/manifest'
import * as z from 'zod'

interface LockedPackage {
  readonly version?: string | undefined
  readonly integrity?: string | undefined
  readonly dependencies?: Readonly<Record<string, string>> | undefined
  readonly optionalDependencies?: Readonly<Record<string, string>> | undefined
  readonly peerDependencies?: Readonly<Record<string, string>> | undefined
}

const dependenciesSchema = z.optional(z.record(z.string(), z.string()))

const lockFileSchema: z.ZodType<{ packages: Record<string, LockedPackage> }> = z.object({
  packages: z.record(
    z.string(),
    z.object({
      version: z.optional(z.string()),
      integrity: z.optional(z.string()),
      dependencies: dependenciesSchema,
      optionalDependencies: dependenciesSchema,
      peerDependencies: dependenciesSchema,
    }),
  ),
})

/** Tells what exactly is installed under a package's name. */
export interface LockFile {
  /**
   * Digest over the package and everything it depends on, as locked: changes when an installation
   * could. A package the lock file does not know has the digest of the whole file, so that nothing
   * slips past.
   */
  digestOf(packageName: string): Digest
}

/** Reads `package-lock.json` (version 2 or 3); null when there is none. An unreadable one counts as a whole. */
export function readLockFile(bytes: Uint8Array | null): LockFile {
  const whole = digestOf(bytes ?? '')
  const packages = bytes === null ? null : parsePackages(bytes)
  const digests = new Map<string, Digest>()
  return {
    digestOf: (packageName) => {
      const known = digests.get(packageName)
      if (known !== undefined) return known
      const closure = packages === null ? null : closureOf(packageName, packages)
      const digest = closure === null ? whole : digestOf(closure.join('\n'))
      digests.set(packageName, digest)
      return digest
    },
  }
}

type Packages = Readonly<Record<string, LockedPackage>>

function parsePackages(bytes: Uint8Array): Packages | null {
  try {
    return lockFileSchema.parse(JSON.parse(Buffer.from(bytes).toString('utf8'))).packages
  } catch {
    // what cannot be read in parts is taken as a whole
    return null
  }
}

/** `path@version integrity` of everything reachable, sorted; null when the package is not locked. */
function closureOf(packageName: string, packages: Packages): string[] | null {
  const first = locate(packageName, 'functions', packages)
  if (first === null) return null
  const reached = new Set([first])
  for (const path of reached) {
    const { dependencies, optionalDependencies, peerDependencies } = packages[path] ?? {}
    const names = Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies })
    for (const name of names) {
      const found = locate(name, path, packages)
      if (found !== null) reached.add(found)
    }
  }
  return [...reached]
    .toSorted()
    .map((path) => `${path}@${packages[path]?.version} ${packages[path]?.integrity}`)
}

/** Node's resolution: the nearest `node_modules` at or above `from`. */
function locate(name: string, from: string, packages: Packages): string | null {
  for (let at = from; ; at = at.slice(0, Math.max(0, at.lastIndexOf('/')))) {
    const path = `${at === '' ? '' : `${at}/`}node_modules/${name}`
    if (path in packages) return path
    if (at === '') return null
  }
}
