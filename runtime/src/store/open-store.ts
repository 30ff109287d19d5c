import { fileURLToPath } from 'node:url'
import { RuntimeError } from '../errors.ts'
import type { ArtifactStore } from './artifact-store.ts'
import { createFileStore } from './file.ts'
import { createMemoryStore } from './memory.ts'
import type { S3StoreOptions } from './s3.ts'

/**
 * The store a url names:
 *
 * - `memory:` – a new one in this process
 * - `file:<path>` – a directory, relative to the working directory or absolute
 * - `s3://<bucket>/<prefix>?endpoint=…&region=…&forcePathStyle=true&ifMatch=bare&requestTimeoutMs=…` –
 *   prefix and parameters as needed; credentials come from the environment, never from the url
 *
 * The S3 SDK is loaded only for the last.
 *
 * @throws RuntimeError `OPTIONS_INVALID` when the url is none of these, or the SDK is not installed.
 */
export async function openStore(url: string): Promise<ArtifactStore> {
  if (url === 'memory:') return createMemoryStore()
  if (url.startsWith('file:')) return createFileStore(directoryOf(url))
  if (url.startsWith('s3://')) {
    const options = parseS3Url(url)
    const { createS3Store } = await importS3()
    return createS3Store(options)
  }
  throw badUrl(url, 'its scheme is not known')
}

function directoryOf(url: string): string {
  const path = url.slice('file:'.length)
  if (path === '' || path === '//') throw badUrl(url, 'it names no directory')
  if (!path.startsWith('//')) return path
  try {
    return fileURLToPath(url)
  } catch (cause) {
    throw badUrl(url, 'a file url with // needs an absolute path', cause)
  }
}

const parameterNames = new Set([
  'endpoint',
  'region',
  'forcePathStyle',
  'ifMatch',
  'requestTimeoutMs',
])

/** Options of `s3.ts` from an `s3:` url. */
export function parseS3Url(url: string): S3StoreOptions {
  const parsed = URL.parse(url)
  if (parsed === null || parsed.hostname === '') throw badUrl(url, 'it names no bucket')
  if (parsed.username !== '' || parsed.password !== '') {
    throw badUrl(
      redacted(parsed),
      'credentials do not belong there; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY',
    )
  }
  const parameters = parsed.searchParams
  for (const name of parameters.keys()) {
    if (!parameterNames.has(name)) {
      throw badUrl(url, `"${name}" is no parameter of it`)
    }
  }
  const endpoint = parameters.get('endpoint') ?? undefined
  if (endpoint !== undefined && !/^https?:/.test(URL.parse(endpoint)?.protocol ?? '')) {
    throw badUrl(url, `endpoint "${endpoint}" is no http or https address`)
  }
  return {
    bucket: parsed.hostname,
    prefix: prefixOf(url, parsed),
    endpoint,
    region: parameters.get('region') ?? undefined,
    forcePathStyle: choice(url, 'forcePathStyle', ['true', 'false']) === 'true',
    ifMatchStyle: choice(url, 'ifMatch', ['quoted', 'bare']),
    requestTimeoutMs: milliseconds(url, parameters.get('requestTimeoutMs')),
  }
}

function prefixOf(url: string, parsed: URL): string {
  try {
    return decodeURIComponent(parsed.pathname.replaceAll(/^\/|\/$/g, ''))
  } catch (cause) {
    throw badUrl(url, 'its prefix is not percent-encoded UTF-8', cause)
  }
}

function choice<Value extends string>(
  url: string,
  name: string,
  values: readonly Value[],
): Value | undefined {
  const given = new URL(url).searchParams.get(name)
  if (given === null) return undefined
  const value = values.find((candidate) => candidate === given)
  if (value === undefined) throw badUrl(url, `${name} must be ${values.join(' or ')}`)
  return value
}

function milliseconds(url: string, text: string | null): number | undefined {
  if (text === null) return undefined
  if (/^[1-9]\d{0,6}$/.test(text)) return Number(text)
  throw badUrl(url, 'requestTimeoutMs must be a whole number of milliseconds from 1')
}

async function importS3(): Promise<typeof import('./s3.ts')> {
  try {
    return await import('./s3.ts')
  } catch (cause) {
    const isMissing =
      cause instanceof Error && 'code' in cause && cause.code === 'ERR_MODULE_NOT_FOUND'
    if (!isMissing) throw cause
    throw new RuntimeError(
      'OPTIONS_INVALID',
      'An s3: store needs the package @aws-sdk/client-s3, which is not installed: npm install @aws-sdk/client-s3',
      { cause },
    )
  }
}

function redacted(url: URL): string {
  const copy = new URL(url)
  copy.username = ''
  copy.password = ''
  return copy.href
}

function badUrl(url: string, fault: string, cause?: unknown): RuntimeError {
  return new RuntimeError(
    'OPTIONS_INVALID',
    `"${url}" is no store: ${fault}. Examples: "file:./needle-store", "s3://my-bucket/needle?region=eu-central-1", "memory:"`,
    { cause },
  )
}
