import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { digestHex, digestOf, settingsDigestOf } from '@needle-faas/runtime/manifest'
import * as z from 'zod'
import type { RolloutPlan } from '../config/rollout-policy.ts'
import { PipelineError } from '../errors.ts'
import { type BuildManifest, type BuiltObject, buildManifestSchema } from './build-manifest.ts'

/** A build directory that was read back: every object was found and matches its digest and size. */
export interface BuildDirectory {
  readonly directory: string
  readonly manifest: BuildManifest
  /** The bytes of an artifact or source map of this build; read and verified with the directory. */
  bytes(object: BuiltObject): Uint8Array
}

const manifestFile = 'build.json'

/** How a build names an artifact (`''`) or source map (`'.map'`) with these bytes. */
export function toBuiltObject(bytes: Uint8Array, suffix: '' | '.map'): BuiltObject {
  const digest = digestOf(bytes)
  return { file: `${digestHex(digest)}.js${suffix}`, digest, sizeBytes: bytes.byteLength }
}

/** Replaces what `directory` holds by this build; `build.json` comes last, so that half a build is none. */
export async function writeBuildDirectory(
  directory: string,
  manifest: BuildManifest,
  objects: ReadonlyMap<string, Uint8Array>,
): Promise<void> {
  await rm(join(directory, manifestFile), { force: true })
  await mkdir(directory, { recursive: true })
  await Promise.all([...objects].map(([file, bytes]) => writeFile(join(directory, file), bytes)))
  await writeFile(join(directory, manifestFile), `${JSON.stringify(manifest, null, 2)}\n`)
}

/**
 * Reads a build and checks it against itself. Nothing of it is evaluated.
 *
 * @throws PipelineError `BUILD_DIRECTORY_MISSING`, `BUILD_DIRECTORY_INVALID` (naming the keys) or
 * `BUILD_DIRECTORY_ALTERED` (an object that is not what its digest says)
 */
export async function readBuildDirectory(directory: string): Promise<BuildDirectory> {
  const manifest = parseManifest(await readManifest(directory), directory)
  const contents = new Map<string, Uint8Array>()
  for (const entry of manifest.functions) {
    if (entry.status === 'reused') continue
    if (settingsDigestOf(entry.settings) !== entry.settingsDigest) {
      throw altered(directory, `the settings of ${entry.name}`)
    }
    for (const object of [entry.artifact, entry.sourceMap]) {
      contents.set(object.file, await readObject(directory, object))
    }
  }
  return {
    directory,
    manifest,
    bytes: ({ file }) => {
      const bytes = contents.get(file)
      if (bytes === undefined) throw new RangeError(`${file} is not part of this build`)
      return bytes
    },
  }
}

/** How changes of each function of a build go out, by full name; without an entry to everyone at once. */
export function policiesOf({ manifest }: BuildDirectory): ReadonlyMap<string, RolloutPlan> {
  return new Map(
    manifest.functions.flatMap(({ name, rollout }) => (rollout ? [[name, rollout]] : [])),
  )
}

async function readManifest(directory: string): Promise<string> {
  try {
    return await readFile(join(directory, manifestFile), 'utf8')
  } catch (cause) {
    throw new PipelineError(
      'BUILD_DIRECTORY_MISSING',
      `There is no build in ${directory}. Run "needle build --out ${directory}" first.`,
      { cause, details: { directory } },
    )
  }
}

function parseManifest(text: string, directory: string): BuildManifest {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (cause) {
    throw invalid(directory, 'it is not JSON', cause)
  }
  const parsed = buildManifestSchema.safeParse(json)
  if (!parsed.success) throw invalid(directory, z.prettifyError(parsed.error))
  return parsed.data
}

async function readObject(directory: string, object: BuiltObject): Promise<Uint8Array> {
  const bytes = await readFile(join(directory, object.file)).catch((cause: unknown) => {
    throw altered(directory, object.file, cause)
  })
  const isSame = bytes.byteLength === object.sizeBytes && digestOf(bytes) === object.digest
  if (!isSame || !object.file.startsWith(digestHex(object.digest))) {
    throw altered(directory, object.file)
  }
  return bytes
}

function invalid(directory: string, reason: string, cause?: unknown): PipelineError {
  return new PipelineError(
    'BUILD_DIRECTORY_INVALID',
    `${join(directory, manifestFile)} is not a build of this version of needle: ${reason}. Build again.`,
    { cause, details: { directory } },
  )
}

function altered(directory: string, what: string, cause?: unknown): PipelineError {
  return new PipelineError(
    'BUILD_DIRECTORY_ALTERED',
    `${what} in ${directory} is missing or not what build.json says. Build again, and find out who changed it.`,
    { cause, details: { directory } },
  )
}
