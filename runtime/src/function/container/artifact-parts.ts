/** A classic script, and where it stands in its artifact. */
export interface ArtifactPart {
  readonly source: string
  /** Lines of the artifact above it. */
  readonly linesAbove: number
}

/** The scripts of an artifact, in the order they run. */
export interface ArtifactParts {
  /** Null in an artifact that says nothing of packages: all of it is `own` then. */
  readonly packages: ArtifactPart | null
  /** Sets `artifactGlobalName`. */
  readonly own: ArtifactPart
}

/**
 * The global variable with which the packages of an artifact hand what they export to the function's
 * own code.
 */
export const packagesGlobalName = '__needle_packages'

const header = /^\/\/# needle-packages=(\d{1,9})\n/
const longestHeader = 40

/**
 * One script that does the same as both, one after the other: a comment in its first line says how
 * many bytes (UTF-8) of what follows are the packages. A runtime that does not know the comment
 * runs the whole.
 */
export function joinParts(packages: string, own: string): Uint8Array {
  return Buffer.from(`//# needle-packages=${Buffer.byteLength(packages)}\n${packages}${own}`)
}

/** What `joinParts` was given. Never throws: scripts cut in the wrong place do not run. */
export function partsOf(artifact: Uint8Array): ArtifactParts {
  // Decoded one by one: a part of a string keeps the whole string.
  const bytes = Buffer.from(artifact.buffer, artifact.byteOffset, artifact.byteLength)
  const [line, length] = header.exec(bytes.toString('latin1', 0, longestHeader)) ?? []
  if (line === undefined)
    return { packages: null, own: { source: bytes.toString(), linesAbove: 0 } }
  const end = line.length + Number(length)
  const packages = bytes.toString('utf8', line.length, end)
  return {
    packages: { source: packages, linesAbove: 1 },
    own: { source: bytes.toString('utf8', end), linesAbove: packages.split('\n').length },
  }
}
