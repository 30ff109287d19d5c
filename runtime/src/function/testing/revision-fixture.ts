import { build } from 'esbuild'
import { systemClock } from '../../clock.ts'
import { digestOf } from '../../manifest/digest.ts'
import type { Release } from '../../manifest/release.ts'
import type { Settings } from '../../manifest/settings.ts'
import type { Call, Outcome } from '../call.ts'
import { artifactBuildOptions } from '../container/artifact-format.ts'
import { composeSettings } from '../container/compose-settings.ts'
import { describeArtifact } from '../container/describe-artifact.ts'
import { createDeadlineWheel } from '../deadline-wheel.ts'
import { loadRevision, type LoadRevisionOptions } from '../load-revision.ts'
import type { Revision } from '../revision.ts'

/** Bundles TypeScript as a function's build does; returns the artifact and its source map. */
export async function bundle(contents: string): Promise<{ source: string; map: string }> {
  const { mainFields, conditions, ...options } = artifactBuildOptions
  const { outputFiles } = await build({
    ...options,
    mainFields: [...mainFields],
    conditions: ['needle-source', ...conditions],
    stdin: { contents, resolveDir: import.meta.dirname, sourcefile: 'index.ts', loader: 'ts' },
    sourcemap: 'external',
    outfile: 'artifact.js',
    write: false,
  })
  const text = (end: string): string =>
    outputFiles.find(({ path }) => path.endsWith(end))?.text ?? ''
  return { source: text('.js'), map: text('.map') }
}

/** An artifact by hand: the expression is the default export. */
export function artifactOf(expression: string): string {
  return `var __needle_function = { default: ${expression} }`
}

/** A log line as the host's logger receives it. */
interface LogLine {
  readonly level: string
  readonly message: string
  readonly fields: Record<string, unknown>
}

export interface LoadedFixture {
  readonly revision: Revision
  readonly lines: LogLine[]
  readonly invoke: (call?: Partial<Call>) => Promise<Outcome>
  /** The JSON answer to a call. */
  readonly answer: (call?: Partial<Call>) => Promise<{ status: number; body: unknown }>
}

/** Describes, completes and loads an artifact, as build and runtime do together. */
export async function loadFixture(
  source: string,
  options: Partial<LoadRevisionOptions> & { readonly settings?: Partial<Settings> } = {},
): Promise<LoadedFixture> {
  const name = 'shop/card'
  const { declared, contract } = describeArtifact(source, { functionName: name })
  const settings = { ...composeSettings(name, declared), ...options.settings }
  const lines: LogLine[] = []
  const at =
    (level: string) =>
    (message: string, fields: Record<string, unknown> = {}) => {
      lines.push({ level, message, fields })
    }
  const bytes = Buffer.from(source)
  const digest = digestOf(bytes)
  const release: Release = {
    kind: 'release',
    specVersion: 1,
    scope: 'production',
    function: name,
    artifact: { digest, sizeBytes: bytes.length },
    sourceMap: null,
    settings,
    settingsDigest: digest,
    contract,
    inputs: digest,
    provenance: {
      repository: null,
      commit: '0'.repeat(40),
      committedAt: '2026-01-01T00:00:00Z',
      author: 'Ada <ada@example.com>',
      pullRequest: null,
      build: null,
    },
    builtAt: '2026-01-01T00:00:00Z',
  }
  const revision = await loadRevision({
    release,
    releaseDigest: digest,
    artifact: bytes,
    services: {},
    log: { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') },
    clock: systemClock,
    wheel: createDeadlineWheel({ tickMs: 2 }),
    ...options,
  })
  const invoke = (call: Partial<Call> = {}): Promise<Outcome> => revision.invoke(toCall(call))
  return {
    revision,
    lines,
    invoke,
    answer: async (call) => {
      const { status, body } = await invoke(call)
      return { status, body: typeof body === 'string' ? JSON.parse(body) : body }
    },
  }
}

/** The body of an answer as text, whatever it is made of. */
export function textOf({ body }: Pick<Outcome, 'body'>): Promise<string> {
  return new Response(typeof body === 'string' ? body : toBodyInit(body)).text()
}

function toBodyInit(body: Exclude<Outcome['body'], string>): ReadableStream | Buffer | null {
  return body instanceof Uint8Array ? Buffer.from(body) : body
}

/** A call with a JSON body, but for what `parts` says. */
export function toCall(parts: Partial<Call> = {}): Call {
  return {
    requestId: 'req-1',
    method: 'POST',
    url: '/shop/card',
    headers: { 'content-type': 'application/json' },
    params: {},
    query: '',
    body: null,
    caller: {},
    ...parts,
  }
}
