import { type BuildRecord, buildRecordSchema } from './build-record.ts'
import { pause } from '../pause.ts'
import {
  assertSize,
  checkJson,
  decodeText,
  deepFreeze,
  type DocumentFormat,
  parseDocument,
  parseText,
  validateJson,
} from './document.ts'
import {
  type FunctionState,
  functionStateSchema,
  type GroupDocument,
  type GroupFrame,
  groupFrameSchema,
} from './group-document.ts'
import { type Manifest, manifestSchema } from './manifest.ts'
import { createManyReleasesSchema } from './many-releases-schema.ts'
import { type QuarantineDocument, quarantineDocumentSchema } from './quarantine.ts'
import { type Release, releaseSchema } from './release.ts'
import { sizeLimit } from './size-limit.ts'
import { type TrustRoot, trustRootSchema } from './trust-root.ts'
import { assertSoundTrustRoot } from './trust-root-soundness.ts'

/**
 * The payload of a signed manifest. It says nothing about trust: use `verifyManifest` on what came
 * from a store. This and its siblings throw as `parseDocument` does.
 */
export function parseManifest(bytes: Uint8Array, source?: string): Manifest {
  return parseDocument(bytes, manifestFormat, source)
}

/** The payload of a signed release. It says nothing about trust: use `verifyRelease`. */
export function parseRelease(bytes: Uint8Array, source?: string): Release {
  return parseDocument(bytes, releaseFormat, source)
}

/** As `parseRelease`, for a start that reads a thousand. */
export function parseOneOfManyReleases(bytes: Uint8Array, source?: string): Release {
  return parseDocument(bytes, manyReleasesFormat, source)
}

/** The payload of a signed trust root, its keys checked one by one. It says nothing about trust: use `verifyTrustRoot`. */
export function parseTrustRoot(bytes: Uint8Array, source = 'trust root'): TrustRoot {
  const root = parseDocument(bytes, trustRootFormat, source)
  assertSoundTrustRoot(root, source)
  return root
}

/**
 * A group document; the manifest vouches for its bytes by digest. It may list a thousand functions,
 * so that others have their turn in between.
 */
export async function parseGroupDocument(
  bytes: Uint8Array,
  source = groupFormat.name,
): Promise<GroupDocument> {
  await pause()
  assertSize(bytes, groupFormat, source)
  const text = decodeText(bytes, groupFormat, source)
  await pause()
  const json = parseText(text, groupFormat, source)
  await pause()
  const { functions: states, ...frame } = validateJson(json, groupFormat, source)
  const functions: Record<string, FunctionState> = {}
  for (const [name, state] of Object.entries(states)) {
    await pause()
    functions[name] = checkJson(state, functionFormat, source, ['functions', name])
  }
  return Object.freeze({ ...deepFreeze(frame), functions: Object.freeze(functions) })
}

/** A quarantine list; the manifest vouches for its bytes by digest. */
export function parseQuarantineDocument(bytes: Uint8Array, source?: string): QuarantineDocument {
  return parseDocument(bytes, quarantineFormat, source)
}

/** A build record; nothing vouches for it, see `BuildRecord`. */
export function parseBuildRecord(bytes: Uint8Array, source?: string): BuildRecord {
  return parseDocument(bytes, buildRecordFormat, source)
}

const manifestFormat: DocumentFormat<Manifest> = {
  name: 'manifest',
  kind: 'manifest',
  schema: manifestSchema,
  maxBytes: sizeLimit.manifestBytes,
}

const releaseFormat: DocumentFormat<Release> = {
  name: 'release',
  kind: 'release',
  schema: releaseSchema,
  maxBytes: sizeLimit.releaseBytes,
}

const schemaOfMany = createManyReleasesSchema()
const manyReleasesFormat: DocumentFormat<Release> = {
  ...releaseFormat,
  get schema() {
    return schemaOfMany()
  },
}

const trustRootFormat: DocumentFormat<TrustRoot> = {
  name: 'trust root',
  kind: 'trust-root',
  schema: trustRootSchema,
  maxBytes: sizeLimit.trustRootBytes,
}

const groupFormat: DocumentFormat<GroupFrame> = {
  name: 'group document',
  schema: groupFrameSchema,
  maxBytes: sizeLimit.groupBytes,
}

const functionFormat = { name: groupFormat.name, schema: functionStateSchema }

const quarantineFormat: DocumentFormat<QuarantineDocument> = {
  name: 'quarantine list',
  schema: quarantineDocumentSchema,
  maxBytes: sizeLimit.quarantineBytes,
}

const buildRecordFormat: DocumentFormat<BuildRecord> = {
  name: 'build record',
  schema: buildRecordSchema,
  maxBytes: sizeLimit.buildRecordBytes,
}
